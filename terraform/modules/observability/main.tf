# What wakes somebody up: alarms to one topic, a dashboard, a budget.
# `dags.json` is written by `make docs` from the code. `alarms.json` holds what each alarm says, and docs/alarms.md.

data "aws_caller_identity" "current" {}
data "aws_region" "current" {}

locals {
  dag_ids    = toset(jsondecode(file("${path.module}/dags.json")))
  account_id = data.aws_caller_identity.current.account_id
  namespace  = "StravaDataIngest"
  words      = { for name, alarm in jsondecode(file("${path.module}/alarms.json")) : name => "${alarm.says} ${alarm.do}" }

  # Words of the code's own messages in the tasks' log; a test keeps them equal.
  messages = {
    needs-reauth = "\"Strava refuses to refresh the tokens\""
    quota        = "\"daily call budget\""
    quarantine   = "\"is quarantined:\""
  }

  # The API's own metrics know routes by dimensions of which AWS's pages differ; its access log is ours.
  webhook = "$.route = \"POST /webhook/{secret}\""
  answers = {
    webhook-errors = "{ ${local.webhook} && $.status = \"5*\" }"
    page-errors    = "{ $.route != \"POST /webhook/{secret}\" && $.status = \"5*\" }"
  }

  filters = merge(
    { for name, pattern in local.messages : name => { pattern = pattern, log_group = var.task_log_group_name, period_s = 900 } },
    { for name, pattern in local.answers : name => { pattern = pattern, log_group = var.access_log_group_name, period_s = 300 } },
  )

  # How long a DAG with a schedule may be without a good run: paused, unknown to Airflow, or failing.
  silences = {
    strava_reconcile = { period_s = 1800, periods = 2 }
    strava_retention = { period_s = 86400, periods = 2 }
  }

  # What is silent alarms where it is missing, everything else where it is there.
  alarms = merge(
    {
      dead-letters = {
        description = local.words["dead-letters"]
        namespace   = "AWS/SQS", metric = "ApproximateNumberOfMessagesVisible", statistic = "Maximum"
        dimensions  = { QueueName = var.dead_letters_name }
        threshold   = 0, period_s = 300, periods = 1, enough = 1, missing = "notBreaching"
      }
      oldest-event = {
        description = local.words["oldest-event"]
        namespace   = "AWS/SQS", metric = "ApproximateAgeOfOldestMessage", statistic = "Maximum"
        dimensions  = { QueueName = var.queue_name }
        threshold   = var.oldest_event_s, period_s = 300, periods = 1, enough = 1, missing = "notBreaching"
      }
      released = {
        # The age above forgets a message that was received three times, which is when a paused DAG begins to matter.
        description = local.words["released"]
        namespace   = local.namespace, metric = "EventsReleased", statistic = "Sum"
        dimensions  = { FunctionName = var.dispatcher_function_name }
        threshold   = 0, period_s = 900, periods = 3, enough = 2, missing = "notBreaching"
      }
      waiting = {
        description = local.words["waiting"]
        namespace   = local.namespace, metric = "EventsWaiting", statistic = "Sum"
        dimensions  = { FunctionName = var.dispatcher_function_name }
        threshold   = 0, period_s = 900, periods = 1, enough = 1, missing = "notBreaching"
      }
      dropped = {
        description = local.words["dropped"]
        namespace   = local.namespace, metric = "EventsDropped", statistic = "Sum"
        dimensions  = { FunctionName = var.http_function_name }
        threshold   = 0, period_s = 3600, periods = 1, enough = 1, missing = "notBreaching"
      }
      dispatcher-errors = {
        description = local.words["dispatcher-errors"]
        namespace   = "AWS/Lambda", metric = "Errors", statistic = "Sum"
        dimensions  = { FunctionName = var.dispatcher_function_name }
        threshold   = 0, period_s = 300, periods = 2, enough = 2, missing = "notBreaching"
      }
      scheduler = {
        description = local.words["scheduler"]
        namespace   = "AmazonMWAA", metric = "SchedulerHeartbeat", statistic = "Sum"
        dimensions  = { Environment = var.environment_name, Function = "Scheduler" }
        threshold   = 0, period_s = 900, periods = 2, enough = 2, missing = "breaching"
      }
    },
    {
      for dag_id in local.dag_ids : "failed-${replace(dag_id, "_", "-")}" => {
        description = replace(local.words["failed-<dag>"], "<dag>", dag_id)
        namespace   = "AmazonMWAA", metric = "DAGDurationFailed", statistic = "SampleCount"
        dimensions  = { DAG = dag_id, Environment = var.environment_name }
        threshold   = 0, period_s = 300, periods = 1, enough = 1, missing = "notBreaching"
      }
    },
    {
      for dag_id, silence in local.silences : "silent-${replace(dag_id, "_", "-")}" => {
        description = local.words["silent-${replace(dag_id, "_", "-")}"]
        namespace   = "AmazonMWAA", metric = "DAGDurationSuccess", statistic = "SampleCount"
        dimensions  = { DAG = dag_id, Environment = var.environment_name }
        threshold   = 0, period_s = silence.period_s, periods = silence.periods, enough = silence.periods, missing = "breaching"
      }
    },
    {
      for name, filter in local.filters : name => {
        description = local.words[name]
        namespace   = local.namespace, metric = "${var.name}-${name}", statistic = "Sum"
        dimensions  = {}
        threshold   = 0, period_s = filter.period_s, periods = 1, enough = 1, missing = "notBreaching"
      }
    },
  )

  # What a failed crawl says of itself. By the second source `make alarms` says the same, for a test.
  test_source  = "${var.name}.test"
  crawl_failed = { type = "Glue Crawler State Change", state = "Failed" }
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
    Statement = [
      {
        Sid       = "AlarmsOfThisAccount"
        Effect    = "Allow"
        Principal = { Service = ["cloudwatch.amazonaws.com", "budgets.amazonaws.com"] }
        Action    = "sns:Publish"
        Resource  = aws_sns_topic.alarms.arn
        Condition = { StringEquals = { "aws:SourceAccount" = local.account_id } }
      },
      {
        # EventBridge publishes under no condition: with one its messages reach nobody (EventBridge's user guide).
        Sid       = "FailedCrawls"
        Effect    = "Allow"
        Principal = { Service = "events.amazonaws.com" }
        Action    = "sns:Publish"
        Resource  = aws_sns_topic.alarms.arn
      },
    ]
  })
}

resource "aws_sns_topic_subscription" "email" {
  for_each = var.alarm_emails

  topic_arn = aws_sns_topic.alarms.arn
  protocol  = "email"
  endpoint  = each.value
}

# --- alarms ------------------------------------------------------------------------------------------

resource "aws_cloudwatch_log_metric_filter" "this" {
  for_each = local.filters

  name           = "${var.name}-${each.key}"
  log_group_name = each.value.log_group
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
  datapoints_to_alarm = each.value.enough
  threshold           = each.value.threshold
  comparison_operator = each.value.missing == "breaching" ? "LessThanOrEqualToThreshold" : "GreaterThanThreshold"
  treat_missing_data  = each.value.missing
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
}

# Pages may take eight seconds, so the API's own latency says nothing of the webhook.
resource "aws_cloudwatch_log_metric_filter" "webhook_latency" {
  name           = "${var.name}-webhook-latency"
  log_group_name = var.access_log_group_name
  pattern        = "{ ${local.webhook} && $.responseLatencyMs = * }"

  metric_transformation {
    name      = "${var.name}-webhook-latency"
    namespace = local.namespace
    value     = "$.responseLatencyMs"
    unit      = "Milliseconds"
  }
}

resource "aws_cloudwatch_metric_alarm" "webhook_p99" {
  alarm_name          = "${var.name}-webhook-p99"
  alarm_description   = local.words["webhook-p99"]
  namespace           = local.namespace
  metric_name         = aws_cloudwatch_log_metric_filter.webhook_latency.metric_transformation[0].name
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
  description = local.words["crawler"]

  event_pattern = jsonencode({
    source      = ["aws.glue", local.test_source]
    detail-type = [local.crawl_failed.type]
    detail      = { crawlerName = [var.crawler_name], state = [local.crawl_failed.state] }
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
