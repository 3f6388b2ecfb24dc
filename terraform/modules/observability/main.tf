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
      pattern     = "\"Strava refuses to refresh the tokens\""
      description = "An athlete has to connect again: Strava refuses the tokens. See docs/errors.md or the athlete's page."
    }
    quota = {
      pattern     = "\"daily call budget\""
      description = "Strava's calls of the day are spent: activities arrive when the next day (UTC) begins."
    }
    quarantine = {
      pattern     = "\"is quarantined:\""
      description = "An activity could not be understood and waits in quarantine: the task's log says which and why."
    }
  }

  # The API's own metrics know routes by dimensions of which AWS's pages differ; its access log is ours.
  answers = {
    webhook-errors = {
      pattern     = "{ $.route = \"POST /webhook/{secret}\" && $.status = \"5*\" }"
      description = "The webhook answers 5xx: Strava tries an event three times only; reconcile finds what is lost."
    }
    page-errors = {
      pattern     = "{ $.route != \"POST /webhook/{secret}\" && $.status = \"5*\" }"
      description = "Pages answer 5xx: see the log of ${var.http_function_name}. Events are not touched by that."
    }
  }

  filters = merge(
    { for name, message in local.messages : name => merge(message, { log_group = var.task_log_group_name, period_s = 900 }) },
    { for name, answer in local.answers : name => merge(answer, { log_group = var.access_log_group_name, period_s = 300 }) },
  )

  # How long a DAG with a schedule may be without a good run: paused, unknown to Airflow, or failing.
  silences = {
    strava_reconcile = { period_s = 1800, periods = 2, words = "an hour" }
    strava_retention = { period_s = 86400, periods = 2, words = "two days" }
  }

  # What is silent alarms where it is missing, everything else where it is there.
  alarms = merge(
    {
      dead-letters = {
        description = "Events were given up: see why with `make dead-letters`, mend the cause, revive them."
        namespace   = "AWS/SQS", metric = "ApproximateNumberOfMessagesVisible", statistic = "Maximum"
        dimensions  = { QueueName = var.dead_letters_name }
        threshold   = 0, period_s = 300, periods = 1, enough = 1, missing = "notBreaching"
      }
      oldest-event = {
        description = "Events wait for Airflow: is MWAA being updated, strava_ingest paused, or the dispatcher failing?"
        namespace   = "AWS/SQS", metric = "ApproximateAgeOfOldestMessage", statistic = "Maximum"
        dimensions  = { QueueName = var.queue_name }
        threshold   = var.oldest_event_s, period_s = 300, periods = 1, enough = 1, missing = "notBreaching"
      }
      released = {
        # The age above forgets a message that was received three times, which is when a paused DAG begins to matter.
        description = "Airflow takes no events, which return to the queue: the dispatcher's log says why. Is a DAG paused or broken?"
        namespace   = local.namespace, metric = "EventsReleased", statistic = "Sum"
        dimensions  = { FunctionName = var.dispatcher_function_name }
        threshold   = 0, period_s = 900, periods = 3, enough = 2, missing = "notBreaching"
      }
      waiting = {
        description = "Events are left to the ledger, as Strava or Airflow is out: reconcile queues them again after that."
        namespace   = local.namespace, metric = "EventsWaiting", statistic = "Sum"
        dimensions  = { FunctionName = var.dispatcher_function_name }
        threshold   = 0, period_s = 900, periods = 1, enough = 1, missing = "notBreaching"
      }
      dropped = {
        description = "The webhook drops events: of a subscription that is not the stored one (`make subscription ARGS=show`), or of strangers."
        namespace   = local.namespace, metric = "EventsDropped", statistic = "Sum"
        dimensions  = { FunctionName = var.http_function_name }
        threshold   = 0, period_s = 3600, periods = 1, enough = 1, missing = "notBreaching"
      }
      dispatcher-errors = {
        description = "The dispatcher fails as a whole; its events go back to the queue meanwhile."
        namespace   = "AWS/Lambda", metric = "Errors", statistic = "Sum"
        dimensions  = { FunctionName = var.dispatcher_function_name }
        threshold   = 0, period_s = 300, periods = 2, enough = 2, missing = "notBreaching"
      }
      scheduler = {
        description = "Airflow's scheduler gives no sign of life; an update of the environment does this for some minutes."
        namespace   = "AmazonMWAA", metric = "SchedulerHeartbeat", statistic = "Sum"
        dimensions  = { Environment = var.environment_name, Function = "Scheduler" }
        threshold   = 0, period_s = 900, periods = 2, enough = 2, missing = "breaching"
      }
    },
    {
      for dag_id in local.dag_ids : "failed-${replace(dag_id, "_", "-")}" => {
        description = "A run of ${dag_id} failed: its page in Airflow says what to do."
        namespace   = "AmazonMWAA", metric = "DAGDurationFailed", statistic = "SampleCount"
        dimensions  = { DAG = dag_id, Environment = var.environment_name }
        threshold   = 0, period_s = 300, periods = 1, enough = 1, missing = "notBreaching"
      }
    },
    {
      for dag_id, silence in local.silences : "silent-${replace(dag_id, "_", "-")}" => {
        description = "No run of ${dag_id} ended well for ${silence.words}: is it paused in Airflow, or does it fail?"
        namespace   = "AmazonMWAA", metric = "DAGDurationSuccess", statistic = "SampleCount"
        dimensions  = { DAG = dag_id, Environment = var.environment_name }
        threshold   = 0, period_s = silence.period_s, periods = silence.periods, enough = silence.periods, missing = "breaching"
      }
    },
    {
      for name, filter in local.filters : name => {
        description = filter.description
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
