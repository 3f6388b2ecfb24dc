mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  name                = "strava-test"
  settings            = { STATE_URL = "dynamodb://strava-test-" }
  airflow_environment = "strava-test"
  http                = { zip_path = "http.zip", zip_hash = "aGFzaA==" }
  dispatcher          = { zip_path = "dispatcher.zip", zip_hash = "aGFzaA==" }
  table_arns = {
    for table in ["athletes", "activities", "erasures", "outages"] : table => "arn:aws:dynamodb:eu-central-1:123456789012:table/strava-test-${table}"
  }
  data_key_arn  = "arn:aws:kms:eu-central-1:123456789012:key/data"
  token_key_arn = "arn:aws:kms:eu-central-1:123456789012:key/token"
  secret_arn    = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:strava"
  secret_name   = "airflow/connections/strava_api"
}

run "by_default" {
  command = apply
  module { source = "./modules/webhook_api" }

  # takes events in batches that mwaa can bear
  assert {
    condition     = aws_lambda_event_source_mapping.events.batch_size == 100 && aws_lambda_event_source_mapping.events.maximum_batching_window_in_seconds == 1
    error_message = "Up to a hundred events in a batch, gathered for a second."
  }
  assert {
    condition     = aws_lambda_event_source_mapping.events.scaling_config[0].maximum_concurrency == 2
    error_message = "Two dispatchers at four calls a second stay below MWAA's ten."
  }
  assert {
    condition     = aws_lambda_event_source_mapping.events.function_response_types == toset(["ReportBatchItemFailures"])
    error_message = "One bad event does not send its batch back."
  }
  assert {
    condition     = aws_sqs_queue.events.visibility_timeout_seconds == 300 && aws_sqs_queue.events.visibility_timeout_seconds >= 6 * aws_lambda_function.dispatcher.timeout
    error_message = "A batch stays hidden for six times what its dispatcher may take."
  }
  # keeps events for two weeks and gives up after twenty tries
  assert {
    condition     = aws_sqs_queue.events.message_retention_seconds == 1209600 && aws_sqs_queue.dead_letters.message_retention_seconds == 1209600
    error_message = "The longest that SQS keeps."
  }
  assert {
    condition     = jsondecode(aws_sqs_queue.events.redrive_policy).maxReceiveCount == 20 && jsondecode(aws_sqs_queue.events.redrive_policy).deadLetterTargetArn == aws_sqs_queue.dead_letters.arn
    error_message = "What is given up goes to the dead letters."
  }
  assert {
    condition     = aws_sqs_queue.events.kms_master_key_id == var.data_key_arn && aws_sqs_queue.dead_letters.kms_master_key_id == var.data_key_arn
    error_message = "Both queues are encrypted with the data key."
  }
  # has the dispatcher delete old runs at night
  assert {
    condition     = aws_cloudwatch_event_rule.finished_runs.schedule_expression == "cron(0/10 0-5 * * ? *)" && aws_cloudwatch_event_target.finished_runs.arn == aws_lambda_function.dispatcher.arn
    error_message = "Every ten minutes of the night."
  }
  assert {
    condition     = !can(jsondecode(aws_cloudwatch_event_target.finished_runs.input).Records) && aws_lambda_permission.finished_runs.source_arn == aws_cloudwatch_event_rule.finished_runs.arn
    error_message = "By that rule alone, and without a batch."
  }
  # runs both functions on arm with python 3 12 and reserves nothing
  assert {
    condition     = aws_lambda_function.http.handler == "webhook_api.aws_lambda.http.handler" && aws_lambda_function.dispatcher.handler == "webhook_api.aws_lambda.dispatcher.handler"
    error_message = "The handlers' names."
  }
  assert {
    condition = alltrue([
      for function in [aws_lambda_function.http, aws_lambda_function.dispatcher] :
      function.runtime == "python3.12" && function.architectures == tolist(["arm64"]) && function.reserved_concurrent_executions == -1
    ])
    error_message = "arm64, Python 3.12, no reserved concurrency."
  }
  # logs the route and never the path
  assert {
    condition     = strcontains(aws_apigatewayv2_stage.default.access_log_settings[0].format, "$context.routeKey") && !can(regex("(?i)path|sourceIp|rawQuery|protocol\\b.*\\$context\\.path", aws_apigatewayv2_stage.default.access_log_settings[0].format))
    error_message = "The webhook's secret is in the path."
  }
  assert {
    condition     = aws_apigatewayv2_stage.default.name == "$default" && one(aws_apigatewayv2_stage.default.route_settings).throttling_rate_limit == 100 && aws_apigatewayv2_stage.default.default_route_settings[0].throttling_rate_limit == 20
    error_message = "The webhook and the pages are throttled apart."
  }
  # tells the functions where everything is
  assert {
    condition     = aws_lambda_function.http.environment[0].variables.PUBLIC_URL == aws_apigatewayv2_api.this.api_endpoint && aws_lambda_function.http.environment[0].variables.QUEUE_URL == aws_sqs_queue.events.url
    error_message = "The API's own address, the queue's URL."
  }
  assert {
    condition     = aws_lambda_function.dispatcher.environment[0].variables.AIRFLOW_URL == "mwaa://strava-test"
    error_message = "The environment in which runs are started."
  }
}

run "reserves_concurrency_and_uses_a_domain_of_ones_own_where_asked" {
  command = plan
  module { source = "./modules/webhook_api" }
  variables {
    http   = { zip_path = "http.zip", zip_hash = "aGFzaA==", reserved_concurrency = 20 }
    domain = { name = "ingest.example.org", certificate_arn = "arn:aws:acm:eu-central-1:123456789012:certificate/one" }
  }

  assert {
    condition     = aws_lambda_function.http.reserved_concurrent_executions == 20
    error_message = "Twenty."
  }
  assert {
    condition     = output.public_url == "https://ingest.example.org" && aws_lambda_function.http.environment[0].variables.PUBLIC_URL == output.public_url
    error_message = "The domain is where browsers and Strava go."
  }
  assert {
    condition     = one(aws_apigatewayv2_domain_name.this).domain_name_configuration[0].certificate_arn == "arn:aws:acm:eu-central-1:123456789012:certificate/one" && length(aws_acm_certificate.this) == 0 && length(aws_route53_record.address) == 0
    error_message = "The certificate that is there, and no record in a zone that is not ours."
  }
}

run "makes_the_certificate_and_its_records_where_the_zone_is_given" {
  command = plan
  module { source = "./modules/webhook_api" }
  variables {
    domain = { name = "ingest.example.org", zone_id = "Z0123456789" }
  }

  assert {
    condition     = one(aws_acm_certificate.this).domain_name == "ingest.example.org" && one(aws_acm_certificate.this).validation_method == "DNS"
    error_message = "A certificate, proved by a record."
  }
  assert {
    condition     = one(aws_route53_record.proof).zone_id == "Z0123456789" && one(aws_route53_record.address).name == "ingest.example.org" && length(aws_acm_certificate_validation.this) == 1
    error_message = "The proof, and the address."
  }
}

run "refuses" {
  command = plan
  module { source = "./modules/webhook_api" }
  variables {
    # refuses a secret among the settings
    settings = { STRAVA_CLIENT_SECRET = "x" }
    # refuses an address for a name, and a domain without a certificate
    domain = { name = "https://example.org/strava" }
    # refuses batches larger than a run takes
    dispatcher = { zip_path = "dispatcher.zip", zip_hash = "aGFzaA==", batch_size = 101 }
    # refuses a timeout beyond the apis
    http = { zip_path = "http.zip", zip_hash = "aGFzaA==", timeout_s = 60 }
    # refuses to give up early
    max_receive_count = 1
    # refuses logs that outlast an erasure
    log_retention_days = 365
    # refuses to keep events longer than the queue can
    message_days = 15
  }

  expect_failures = [var.settings, var.domain, var.dispatcher, var.http, var.max_receive_count, var.log_retention_days, var.message_days]
}

run "refuses_large_batches_without_a_window" {
  command = plan
  module { source = "./modules/webhook_api" }
  variables {
    # refuses large batches without a window
    dispatcher = { zip_path = "dispatcher.zip", zip_hash = "aGFzaA==", batch_window_s = 0 }
  }

  expect_failures = [var.dispatcher]
}

run "sends_mails_from_one_address_where_one_is_given" {
  command = plan
  module { source = "./modules/webhook_api" }
  variables { mail_from = "privacy@example.org" }

  assert {
    condition     = one(aws_iam_role_policy.mail).name == "mail" && strcontains(one(aws_iam_role_policy.mail).policy, "privacy@example.org")
    error_message = "The right to send is bound to the sender."
  }
}
