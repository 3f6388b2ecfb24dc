mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  name = "strava-test"
}

run "by_default" {
  command = apply
  module { source = "./modules/state" }

  # keeps every table recoverable encrypted and paid by use
  assert {
    condition = alltrue([
      for table in aws_dynamodb_table.this :
      table.point_in_time_recovery[0].enabled && table.point_in_time_recovery[0].recovery_period_in_days == 7
      && table.server_side_encryption[0].kms_key_arn == aws_kms_key.data.arn
      && table.billing_mode == "PAY_PER_REQUEST" && table.deletion_protection_enabled
    ])
    error_message = "Point-in-time recovery of 7 days, the data key, on demand, protected."
  }
  assert {
    condition     = alltrue([for name, table in aws_dynamodb_table.this : table.name == "strava-test-${name}"])
    error_message = "The code finds a table by the prefix in STATE_URL."
  }
  assert {
    condition     = aws_dynamodb_table.this["quota"].ttl[0].attribute_name == "expires_at_epoch_s" && length([for ttl in aws_dynamodb_table.this["athletes"].ttl : ttl if ttl.enabled]) == 0
    error_message = "What expires is deleted, and nothing else."
  }
  assert {
    condition     = output.state_url == "dynamodb://strava-test-" && output.key_url == "kms://alias/strava-test-token"
    error_message = "The settings of the code."
  }
  # rotates both keys
  assert {
    condition     = aws_kms_key.data.enable_key_rotation && aws_kms_key.token.enable_key_rotation
    error_message = "Both keys rotate yearly."
  }
  # names the secret as airflow and the functions look for it
  assert {
    condition     = output.secret_name == "airflow/connections/strava_api" && aws_secretsmanager_secret.strava_api.recovery_window_in_days == 30
    error_message = "airflow/connections/strava_api, restorable."
  }
}

run "lets_everything_go_where_nothing_is_protected" {
  command = plan
  module { source = "./modules/state" }
  variables {
    is_protected = false
  }

  assert {
    condition     = !aws_dynamodb_table.this["athletes"].deletion_protection_enabled && aws_secretsmanager_secret.strava_api.recovery_window_in_days == 0
    error_message = "A destroyed trial leaves nothing behind that blocks the next."
  }
}

run "refuses" {
  command = plan
  module { source = "./modules/state" }
  variables {
    # refuses a name with capitals
    name = "Strava"
    # refuses more recovery than dynamodb has
    recovery_days = 36
    # refuses a deletion window shorter than kms takes
    key_deletion_window_days = 1
    # refuses a secret prefix that ends with a slash
    secret_prefix = "airflow/connections/"
  }

  expect_failures = [var.name, var.recovery_days, var.key_deletion_window_days, var.secret_prefix]
}
