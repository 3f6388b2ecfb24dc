# What wakes somebody up: alarms to one topic, a dashboard, a budget.
# `dags.json` is written by `make docs` from the code.

data "aws_caller_identity" "current" {}
data "aws_region" "current" {}

locals {
  dag_ids    = toset(jsondecode(file("${path.module}/dags.json")))
  account_id = data.aws_caller_identity.current.account_id
  namespace  = "StravaDataIngest"

  # Words of the code's own messages in the tasks' log; a test keeps them equal.
  messages = {
    needs-reauth = {
      pattern     = "\"Strava refuses to renew the access\""
      description = "An athlete has to connect again: Strava refuses the tokens. See docs/runbooks or the athlete's page."
    }
    quota = {
      pattern     = "\"daily call budget\""
      description = "Strava's calls of the day are spent: activities arrive when the next day (UTC) begins."
    }
  }

  alarms = merge(
    {
      dead-letters = {
        description = "Events were given up: see why with `make dead-letters`, mend the cause, revive them."
        namespace   = "AWS/SQS", metric = "ApproximateNumberOfMessagesVisible", statistic = "Maximum"
        dimensions  = { QueueName = var.dead_letters_name }
        threshold   = 0, period_s = 300, periods = 1, missing = "notBreaching"
      }
      oldest-event = {
        description = "Events wait for Airflow: is MWAA being updated, strava_ingest paused, or the dispatcher failing?"
        namespace   = "AWS/SQS", metric = "ApproximateAgeOfOldestMessage", statistic = "Maximum"
        dimensions  = { QueueName = var.queue_name }
        threshold   = var.oldest_event_s, period_s = 300, periods = 1, missing = "notBreaching"
      }
      webhook-errors = {
        description = "The web API answers 5xx: Strava tries an event three times only; reconcile finds what is lost."
        namespace   = "AWS/ApiGateway", metric = "5xx", statistic = "Sum"
        dimensions  = { ApiId = var.api_id, Stage = "$default" }
        threshold   = 0, period_s = 300, periods = 1, missing = "notBreaching"
      }
      dispatcher-errors = {
        description = "The dispatcher fails as a whole; its events go back to the queue meanwhile."
        namespace   = "AWS/Lambda", metric = "Errors", statistic = "Sum"
        dimensions  = { FunctionName = var.dispatcher_function_name }
        threshold   = 0, period_s = 300, periods = 2, missing = "notBreaching"
      }
      scheduler = {
        description = "Airflow's scheduler gives no sign of life; an update of the environment does this for some minutes."
        namespace   = "AmazonMWAA", metric = "SchedulerHeartbeat", statistic = "Sum"
        dimensions  = { Environment = var.environment_name, Function = "Scheduler" }
        threshold   = 0, period_s = 900, periods = 2, missing = "breaching"
      }
    },
    {
      for dag_id in local.dag_ids : "failed-${replace(dag_id, "_", "-")}" => {
        description = "A run of ${dag_id} failed: its page in Airflow says what to do."
        namespace   = "AmazonMWAA", metric = "DAGDurationFailed", statistic = "SampleCount"
        dimensions  = { DAG = dag_id, Environment = var.environment_name }
        threshold   = 0, period_s = 300, periods = 1, missing = "notBreaching"
      }
    },
    {
      for name, message in local.messages : name => {
        description = message.description
        namespace   = local.namespace, metric = "${var.name}-${name}", statistic = "Sum"
        dimensions  = {}
        threshold   = 0, period_s = 900, periods = 1, missing = "notBreaching"
      }
    },
  )
}

# --- where alarms go ---------------------------------------------------------------------------------

resource "aws_sns_topic" "alarms" {
  name              = "${var.name}-alarms"
  kms_master_key_id = var.data_key_arn
}

resource "aws_sns_topic_policy" "alarms" {
  arn = aws_sns_topic.alarms.arn

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "AlarmsOfThisAccount"
      Effect    = "Allow"
      Principal = { Service = ["cloudwatch.amazonaws.com", "events.amazonaws.com", "budgets.amazonaws.com"] }
      Action    = "sns:Publish"
      Resource  = aws_sns_topic.alarms.arn
      Condition = { StringEquals = { "aws:SourceAccount" = local.account_id } }
    }]
  })
}

resource "aws_sns_topic_subscription" "email" {
  for_each = var.alarm_emails

  topic_arn = aws_sns_topic.alarms.arn
  protocol  = "email"
  endpoint  = each.value
}

# --- alarms ------------------------------------------------------------------------------------------

resource "aws_cloudwatch_log_metric_filter" "message" {
  for_each = local.messages

  name           = "${var.name}-${each.key}"
  log_group_name = var.task_log_group_name
  pattern        = each.value.pattern

  metric_transformation {
    name      = "${var.name}-${each.key}"
    namespace = local.namespace
    value     = "1"
  }
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = local.alarms

  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = each.value.description
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  dimensions          = each.value.dimensions
  statistic           = each.value.statistic
  period              = each.value.period_s
  evaluation_periods  = each.value.periods
  threshold           = each.value.threshold
  comparison_operator = each.key == "scheduler" ? "LessThanOrEqualToThreshold" : "GreaterThanThreshold"
  treat_missing_data  = each.value.missing
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
}

resource "aws_cloudwatch_metric_alarm" "webhook_p99" {
  alarm_name          = "${var.name}-webhook-p99"
  alarm_description   = "The slowest of a hundred answers nears the two seconds that Strava waits."
  namespace           = "AWS/ApiGateway"
  metric_name         = "Latency"
  dimensions          = { ApiId = var.api_id, Stage = "$default" }
  extended_statistic  = "p99"
  period              = 300
  evaluation_periods  = 3
  threshold           = var.webhook_p99_ms
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
}

# The crawler has no metric of its own; it announces its failures.
resource "aws_cloudwatch_event_rule" "crawler" {
  name        = "${var.name}-crawler"
  description = "The crawler failed: partitions that no run registered stay unseen"

  event_pattern = jsonencode({
    source      = ["aws.glue"]
    detail-type = ["Glue Crawler State Change"]
    detail      = { crawlerName = [var.crawler_name], state = ["Failed"] }
  })
}

resource "aws_cloudwatch_event_target" "crawler" {
  rule = aws_cloudwatch_event_rule.crawler.name
  arn  = aws_sns_topic.alarms.arn
}

# --- money -------------------------------------------------------------------------------------------

resource "aws_budgets_budget" "this" {
  name         = var.name
  budget_type  = "COST"
  limit_amount = tostring(var.monthly_budget_usd)
  limit_unit   = "USD"
  time_unit    = "MONTHLY"

  dynamic "notification" {
    for_each = { ACTUAL = 80, FORECASTED = 100 }

    content {
      notification_type         = notification.key
      threshold                 = notification.value
      threshold_type            = "PERCENTAGE"
      comparison_operator       = "GREATER_THAN"
      subscriber_sns_topic_arns = [aws_sns_topic.alarms.arn]
    }
  }

  depends_on = [aws_sns_topic_policy.alarms]
}
