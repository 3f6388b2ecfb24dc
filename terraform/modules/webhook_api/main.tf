# The edge: an HTTP API before one Lambda that answers Strava and browsers, a queue, and a Lambda that turns what the
# queue holds into Airflow runs.

data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}
data "aws_region" "current" {}

locals {
  partition  = data.aws_partition.current.partition
  account_id = data.aws_caller_identity.current.account_id
  region     = data.aws_region.current.name

  public_url = var.domain == null ? aws_apigatewayv2_api.this.api_endpoint : "https://${var.domain.name}"
  # The pages' own statement, where the operator has no other.
  privacy_url = coalesce(var.privacy_url, "${local.public_url}/privacy")
  airflow     = "arn:${local.partition}:airflow:${local.region}:${local.account_id}"

  environment = merge(var.settings, {
    PUBLIC_URL  = local.public_url
    PRIVACY_URL = local.privacy_url
    QUEUE_URL   = aws_sqs_queue.events.url
    AIRFLOW_URL = "mwaa://${var.airflow_environment}"
  })
  with_secret = merge(local.environment, { SECRET_ID = var.secret_name })
}

# --- queue -------------------------------------------------------------------------------------------

resource "aws_sqs_queue" "events" {
  name                       = "${var.name}-events"
  message_retention_seconds  = var.message_days * 24 * 3600
  visibility_timeout_seconds = 6 * var.dispatcher.timeout_s
  kms_master_key_id          = var.data_key_arn

  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.dead_letters.arn
    maxReceiveCount     = var.max_receive_count
  })
}

resource "aws_sqs_queue" "dead_letters" {
  name                      = "${var.name}-dead-letters"
  message_retention_seconds = var.message_days * 24 * 3600
  kms_master_key_id         = var.data_key_arn
}

resource "aws_sqs_queue_redrive_allow_policy" "dead_letters" {
  queue_url = aws_sqs_queue.dead_letters.url

  redrive_allow_policy = jsonencode({
    redrivePermission = "byQueue"
    sourceQueueArns   = [aws_sqs_queue.events.arn]
  })
}

resource "aws_sqs_queue_policy" "tls" {
  for_each = { events = aws_sqs_queue.events, dead_letters = aws_sqs_queue.dead_letters }

  queue_url = each.value.url
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "OnlyByTls"
      Effect    = "Deny"
      Principal = "*"
      Action    = "sqs:*"
      Resource  = each.value.arn
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }]
  })
}

# --- functions ---------------------------------------------------------------------------------------

resource "aws_cloudwatch_log_group" "http" {
  # checkov:skip=CKV_AWS_338:logs are part of what an erasure has to wait for: 30 days, not a year
  name              = "/aws/lambda/${var.name}-http"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.data_key_arn
}

resource "aws_cloudwatch_log_group" "dispatcher" {
  # checkov:skip=CKV_AWS_338:logs are part of what an erasure has to wait for: 30 days, not a year
  name              = "/aws/lambda/${var.name}-dispatcher"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.data_key_arn
}

resource "aws_lambda_function" "http" {
  # checkov:skip=CKV_AWS_50:a trace records the path, which holds the webhook's secret
  # checkov:skip=CKV_AWS_115:optional: small accounts have no concurrency to reserve; the API's throttling bounds it
  # checkov:skip=CKV_AWS_116:it is invoked synchronously: its caller gets the error
  # checkov:skip=CKV_AWS_117:it calls AWS's APIs and Strava only; a VPC would add a NAT gateway to its way and slow its start
  # checkov:skip=CKV_AWS_173:no secret is among its variables; a key of our own would add a call to each cold start
  # checkov:skip=CKV_AWS_272:the artefact is pinned by its hash
  function_name = "${var.name}-http"
  description   = "Strava's webhook and the athletes' pages"
  role          = aws_iam_role.http.arn

  filename         = var.http.zip_path
  source_code_hash = var.http.zip_hash
  handler          = "webhook_api.aws_lambda.http.handler"
  runtime          = "python3.12"
  architectures    = ["arm64"]
  memory_size      = var.http.memory_mb
  timeout          = var.http.timeout_s

  reserved_concurrent_executions = coalesce(var.http.reserved_concurrency, -1)

  environment {
    variables = local.with_secret
  }

  lifecycle {
    precondition {
      condition     = var.http.zip_hash != ""
      error_message = "${var.http.zip_path} is missing: make package"
    }
  }

  depends_on = [aws_cloudwatch_log_group.http, aws_iam_role_policy.http]
}

resource "aws_lambda_function" "dispatcher" {
  # checkov:skip=CKV_AWS_50:the queue's own metrics say how long an event waits
  # checkov:skip=CKV_AWS_115:optional: the event source caps it, and small accounts have no concurrency to reserve
  # checkov:skip=CKV_AWS_116:what it cannot handle the queue moves to its dead letters
  # checkov:skip=CKV_AWS_117:it calls AWS's APIs only
  # checkov:skip=CKV_AWS_173:no secret is among its variables
  # checkov:skip=CKV_AWS_272:the artefact is pinned by its hash
  function_name = "${var.name}-dispatcher"
  description   = "One batch of events becomes one Airflow run; old runs are deleted"
  role          = aws_iam_role.dispatcher.arn

  filename         = var.dispatcher.zip_path
  source_code_hash = var.dispatcher.zip_hash
  handler          = "webhook_api.aws_lambda.dispatcher.handler"
  runtime          = "python3.12"
  architectures    = ["arm64"]
  memory_size      = var.dispatcher.memory_mb
  timeout          = var.dispatcher.timeout_s

  reserved_concurrent_executions = coalesce(var.dispatcher.reserved_concurrency, -1)

  environment {
    variables = local.environment
  }

  lifecycle {
    precondition {
      condition     = var.dispatcher.zip_hash != ""
      error_message = "${var.dispatcher.zip_path} is missing: make package"
    }
  }

  depends_on = [aws_cloudwatch_log_group.dispatcher, aws_iam_role_policy.dispatcher]
}

# MWAA takes ten calls a second. Two dispatchers, the least that AWS lets a queue have, each at its own pace of four
# calls a second, stay below that whatever Strava sends; a third would not.
resource "aws_lambda_event_source_mapping" "events" {
  event_source_arn = aws_sqs_queue.events.arn
  function_name    = aws_lambda_function.dispatcher.arn

  batch_size                         = var.dispatcher.batch_size
  maximum_batching_window_in_seconds = var.dispatcher.batch_window_s
  function_response_types            = ["ReportBatchItemFailures"]

  scaling_config {
    maximum_concurrency = 2
  }
}

# Nobody else deletes Airflow's rows of runs that are long over, and this function has the credential. Each invocation
# deletes a share and the next goes on, at hours when few athletes are awake.
resource "aws_cloudwatch_event_rule" "finished_runs" {
  name                = "${var.name}-finished-runs"
  description         = "Airflow's rows of runs that are long over are deleted"
  schedule_expression = "cron(0/10 0-5 * * ? *)"
}

resource "aws_cloudwatch_event_target" "finished_runs" {
  rule  = aws_cloudwatch_event_rule.finished_runs.name
  arn   = aws_lambda_function.dispatcher.arn
  input = jsonencode({ task = "delete_finished_runs" })

  retry_policy {
    maximum_retry_attempts       = 0 # the next invocation does it
    maximum_event_age_in_seconds = 60
  }
}

resource "aws_lambda_permission" "finished_runs" {
  statement_id  = "Nightly"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.dispatcher.function_name
  principal     = "events.amazonaws.com"
  source_arn    = aws_cloudwatch_event_rule.finished_runs.arn
}

# --- HTTP API ----------------------------------------------------------------------------------------

resource "aws_apigatewayv2_api" "this" {
  name          = var.name
  description   = "Strava's webhook and the athletes' pages"
  protocol_type = "HTTP"
}

resource "aws_apigatewayv2_integration" "http" {
  api_id                 = aws_apigatewayv2_api.this.id
  integration_type       = "AWS_PROXY"
  integration_uri        = aws_lambda_function.http.arn
  payload_format_version = "2.0"
  timeout_milliseconds   = 1000 * var.http.timeout_s
}

# The webhook has a route of its own, so that its throttle and log lines are apart from the pages'.
resource "aws_apigatewayv2_route" "this" {
  # checkov:skip=CKV_AWS_309:Strava and browsers sign in to nothing here: the application checks secret, state and session itself
  for_each = toset(["GET /webhook/{secret}", "POST /webhook/{secret}", "$default"])

  api_id    = aws_apigatewayv2_api.this.id
  route_key = each.key
  target    = "integrations/${aws_apigatewayv2_integration.http.id}"
}

resource "aws_cloudwatch_log_group" "access" {
  # checkov:skip=CKV_AWS_338:logs are part of what an erasure has to wait for: 30 days, not a year
  name              = "/aws/vendedlogs/apigateway/${var.name}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.data_key_arn
}

resource "aws_apigatewayv2_stage" "default" {
  api_id      = aws_apigatewayv2_api.this.id
  name        = "$default"
  auto_deploy = true

  default_route_settings {
    detailed_metrics_enabled = false # each is paid for; the access log tells routes apart
    throttling_burst_limit   = var.throttle.burst
    throttling_rate_limit    = var.throttle.per_second
  }

  route_settings {
    route_key                = aws_apigatewayv2_route.this["POST /webhook/{secret}"].route_key
    detailed_metrics_enabled = false
    throttling_burst_limit   = var.webhook_throttle.burst
    throttling_rate_limit    = var.webhook_throttle.per_second
  }

  # The route, never the path: a path holds the webhook's secret, an invitation or an athlete's code.
  access_log_settings {
    destination_arn = aws_cloudwatch_log_group.access.arn
    # The latency is a number, without quotation marks, so that a filter can take its value.
    format = replace(jsonencode({
      requestId            = "$context.requestId"
      requestTime          = "$context.requestTime"
      route                = "$context.routeKey"
      status               = "$context.status"
      responseLength       = "$context.responseLength"
      responseLatencyMs    = "$context.responseLatency"
      integrationLatencyMs = "$context.integrationLatency"
      integrationError     = "$context.integrationErrorMessage"
    }), "\"$context.responseLatency\"", "$context.responseLatency")
  }
}

resource "aws_lambda_permission" "http" {
  statement_id  = "HttpApi"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.http.function_name
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${aws_apigatewayv2_api.this.execution_arn}/*/*"
}
