# Both environments as a whole, and the bucket of their states. `tests/terraform` reads what is planned here.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  region         = "eu-central-1"
  retention_days = 7
  operator       = { name = "Ann O'Example", contact = "privacy@example.org" }
  dist           = "./tests/artefacts"
}

run "dev" {
  command = apply
  module { source = "./environments/dev" }

  assert {
    condition     = output.airflow_environment == "strava-dev" && output.secret_name == "airflow/connections/strava_api"
    error_message = "The dev environment stands."
  }
}

run "prod" {
  command = apply
  module { source = "./environments/prod" }

  assert {
    condition     = output.airflow_environment == "strava-prod"
    error_message = "The prod environment stands."
  }
}

run "dev_that_tells_athletes_by_mail" {
  command = plan
  module { source = "./environments/dev" }
  variables { mail_url = "ses://eu-central-1" }

  assert {
    condition     = output.secret_name == "airflow/connections/strava_api"
    error_message = "Mails need nothing but a setting."
  }
}

run "refuses_a_password_in_an_address" {
  command = plan
  module { source = "./environments/dev" }
  variables { mail_url = "smtps://user:hush@smtp.example.org:465" }

  expect_failures = [var.mail_url]
}

run "dev_in_a_network_that_exists" {
  command = plan
  module { source = "./environments/dev" }
  variables {
    existing_network = { vpc_id = "vpc-0123456789abcdef0", private_subnet_ids = ["subnet-0a", "subnet-0b"] }
    secret_prefix    = "airflow/dev"
    domain           = { name = "ingest.example.org", certificate_arn = "arn:aws:acm:eu-central-1:123456789012:certificate/one" }
  }

  assert {
    condition     = output.secret_name == "airflow/dev/strava_api" && output.public_url == "https://ingest.example.org"
    error_message = "What is given is used."
  }
}

run "refuses_a_place_that_is_no_region" {
  command = plan
  module { source = "./environments/dev" }
  variables { region = "Frankfurt" }

  expect_failures = [var.region]
}

run "states_lie_in_a_versioned_bucket_of_their_own" {
  command = plan
  module { source = "./bootstrap" }

  assert {
    condition     = aws_s3_bucket.state.bucket == "strava-terraform-123456789012-eu-central-1" && aws_s3_bucket_versioning.state.versioning_configuration[0].status == "Enabled"
    error_message = "One bucket for each account and region."
  }
}
