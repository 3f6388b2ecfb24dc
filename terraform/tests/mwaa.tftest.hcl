mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  name               = "strava-test"
  private_subnet_ids = ["subnet-0a", "subnet-0b"]
  security_group_id  = "sg-0a"
  plugins            = { path = "versions.tf", hash = "one" }
  requirements       = { path = "versions.tf", hash = "two" }
  constraints        = { path = "versions.tf", hash = "three" }
  settings           = { STATE_URL = "dynamodb://strava-test-", LAKE_URL = "s3://bucket/lake" }
  data_key_arn       = "arn:aws:kms:eu-central-1:123456789012:key/data"
  token_key_arn      = "arn:aws:kms:eu-central-1:123456789012:key/token"
  secret_arn         = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:strava"
  table_arns         = { athletes = "arn:aws:dynamodb:eu-central-1:123456789012:table/strava-test-athletes" }
  queue_arn          = "arn:aws:sqs:eu-central-1:123456789012:strava-test-events"
  lake = {
    bucket_arn    = "arn:aws:s3:::strava-test-lake"
    object_prefix = "lake/"
    catalog_arns  = ["arn:aws:glue:eu-central-1:123456789012:catalog"]
    crawler_arn   = "arn:aws:glue:eu-central-1:123456789012:crawler/strava-test-lake"
  }
}

run "by_default" {
  command = apply
  module { source = "./modules/mwaa" }

  # pins version and objects
  assert {
    condition     = aws_mwaa_environment.this.airflow_version == "3.3.1" && aws_mwaa_environment.this.webserver_access_mode == "PUBLIC_ONLY"
    error_message = "Airflow 3.3.1, its pages public behind IAM."
  }
  assert {
    condition = alltrue([
      for version in [
        aws_mwaa_environment.this.plugins_s3_object_version,
        aws_mwaa_environment.this.requirements_s3_object_version,
        aws_mwaa_environment.this.startup_script_s3_object_version,
      ] : version == "mocked-version"
    ])
    error_message = "Plugins, requirements and startup script are pinned to exact versions."
  }
  assert {
    condition     = aws_s3_bucket_versioning.this.versioning_configuration[0].status == "Enabled"
    error_message = "Versions need a versioned bucket."
  }
  assert {
    condition     = aws_mwaa_environment.this.kms_key == one(aws_s3_bucket_server_side_encryption_configuration.this.rule).apply_server_side_encryption_by_default[0].kms_master_key_id
    error_message = "MWAA wants one key for bucket and environment."
  }
  # asks of its own bucket whatever mwaa may ask
  assert {
    condition = [
      for statement in jsondecode(aws_iam_role_policy.execution.policy).Statement : statement.Action if statement.Sid == "Code"
    ] == [["s3:GetObject*", "s3:GetBucket*", "s3:List*"]]
    error_message = "As in AWS's own sample."
  }
  # gives a small worker three tasks
  assert {
    condition     = aws_mwaa_environment.this.airflow_configuration_options["celery.worker_autoscale"] == "3,3"
    error_message = "Two gigabytes hold no five of our tasks for certain."
  }
  # has a policy for whoever works with its pages
  assert {
    condition = { for name, policy in aws_iam_policy.airflow : name => jsondecode(policy.policy).Statement[0].Resource } == {
      viewer   = "arn:aws:airflow:eu-central-1:123456789012:role/strava-test/Viewer"
      engineer = "arn:aws:airflow:eu-central-1:123456789012:role/strava-test/User"
      operator = "arn:aws:airflow:eu-central-1:123456789012:role/strava-test/Op"
    }
    error_message = "Three roles of Airflow, none of which is Admin."
  }
  # looks connections up in secrets manager
  assert {
    condition     = aws_mwaa_environment.this.airflow_configuration_options["secrets.backend"] == "airflow.providers.amazon.aws.secrets.secrets_manager.SecretsManagerBackend"
    error_message = "Secrets Manager."
  }
  assert {
    condition     = jsondecode(aws_mwaa_environment.this.airflow_configuration_options["secrets.backend_kwargs"]).connections_prefix == "airflow/connections"
    error_message = "Below airflow/connections."
  }
  # renders the settings into the startup script
  assert {
    condition     = aws_s3_object.startup.content == "#!/bin/sh\n# Settings of the DAGs' tasks; written by Terraform. Secrets come from Secrets Manager.\nexport LAKE_URL='s3://bucket/lake'\nexport STATE_URL='dynamodb://strava-test-'\n"
    error_message = "One export for each setting."
  }
  # keeps logs for thirty days in groups of its own
  assert {
    condition     = length(aws_cloudwatch_log_group.this) == 5 && alltrue([for group in aws_cloudwatch_log_group.this : group.retention_in_days == 30])
    error_message = "MWAA's own groups would stay for ever."
  }
  assert {
    condition     = aws_mwaa_environment.this.logging_configuration[0].task_logs[0].log_level == "INFO"
    error_message = "Alarms read the tasks' log."
  }
}

run "keeps_as_many_slots_as_the_class_has" {
  command = plan
  module { source = "./modules/mwaa" }
  variables {
    environment_class = "mw1.medium"
  }

  assert {
    condition     = aws_mwaa_environment.this.airflow_configuration_options["celery.worker_autoscale"] == "10,10" && aws_mwaa_environment.this.schedulers == 2
    error_message = "A fixed pool of ten."
  }
}

run "fits_the_smallest_class" {
  command = plan
  module { source = "./modules/mwaa" }
  variables {
    environment_class = "mw1.micro"
    workers           = { min = 1, max = 1 }
  }

  assert {
    condition     = aws_mwaa_environment.this.schedulers == 1 && aws_mwaa_environment.this.min_webservers == 1 && aws_mwaa_environment.this.max_webservers == 1
    error_message = "mw1.micro has one of each."
  }
}

run "refuses_two_workers_in_the_smallest_class" {
  command = plan
  module { source = "./modules/mwaa" }
  variables {
    # refuses two workers in the smallest class
    environment_class = "mw1.micro"
  }

  expect_failures = [aws_mwaa_environment.this]
}

run "refuses" {
  command = plan
  module { source = "./modules/mwaa" }
  variables {
    # refuses an unknown class
    environment_class = "mw2.small"
    # refuses debug logs
    log_levels = { dag_processing = "DEBUG" }
    # refuses one subnet
    private_subnet_ids = ["subnet-0a"]
    # refuses a setting that breaks out of its quotes
    settings = { LAKE_URL = "x\nrm -rf /" }
    # refuses a crooked maintenance window
    maintenance_window_start = "MON:03:15"
  }

  expect_failures = [var.environment_class, var.log_levels, var.private_subnet_ids, var.settings, var.maintenance_window_start]
}

run "refuses_silent_tasks_and_secrets_in_the_script" {
  command = plan
  module { source = "./modules/mwaa" }
  variables {
    # refuses tasks that do not log
    log_levels = { task = "ERROR" }
    # refuses a secret among the settings
    settings = { COOKIE_KEY = "x" }
  }

  expect_failures = [var.log_levels, var.settings]
}

run "sends_mails_from_one_address_where_one_is_given" {
  command = plan
  module { source = "./modules/mwaa" }
  variables { mail_from = "privacy@example.org" }

  assert {
    condition     = one(aws_iam_role_policy.mail).name == "mail" && strcontains(one(aws_iam_role_policy.mail).policy, "privacy@example.org")
    error_message = "The right to send is bound to the sender."
  }
}
