mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  name                     = "strava-test"
  monthly_budget_usd       = 300
  data_key_arn             = "arn:aws:kms:eu-central-1:123456789012:key/data"
  environment_name         = "strava-test"
  task_log_group_name      = "airflow-strava-test-Task"
  access_log_group_name    = "/aws/vendedlogs/apigateway/strava-test"
  queue_name               = "strava-test-events"
  dead_letters_name        = "strava-test-dead-letters"
  api_id                   = "api"
  http_function_name       = "strava-test-http"
  dispatcher_function_name = "strava-test-dispatcher"
  crawler_name             = "strava-test-lake"
}

run "by_default" {
  command = apply
  module { source = "./modules/observability" }

  # has an alarm for everything that somebody has to mend
  assert {
    condition = length(setsubtract(
      ["dead-letters", "oldest-event", "released", "waiting", "dropped", "quarantine", "webhook-errors", "page-errors", "dispatcher-errors", "scheduler", "needs-reauth", "quota", "failed-strava-ingest", "failed-strava-reconcile", "silent-strava-reconcile", "silent-strava-retention"],
      keys(aws_cloudwatch_metric_alarm.this)
    )) == 0
    error_message = "An alarm is missing."
  }
  assert {
    condition     = alltrue([for alarm in aws_cloudwatch_metric_alarm.this : alarm.alarm_actions == toset([aws_sns_topic.alarms.arn]) && length(alarm.alarm_description) > 30])
    error_message = "Every alarm goes to the topic and says what to do."
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.this["dead-letters"].threshold == 0 && aws_cloudwatch_metric_alarm.this["dead-letters"].dimensions.QueueName == "strava-test-dead-letters"
    error_message = "One dead letter is one too many."
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.webhook_p99.extended_statistic == "p99" && aws_cloudwatch_metric_alarm.webhook_p99.threshold == 1500
    error_message = "Before Strava's two seconds are over."
  }
  # times the webhook apart from the pages
  assert {
    condition     = aws_cloudwatch_metric_alarm.webhook_p99.metric_name == "strava-test-webhook-latency" && aws_cloudwatch_log_metric_filter.webhook_latency.metric_transformation[0].value == "$.responseLatencyMs" && strcontains(aws_cloudwatch_log_metric_filter.webhook_latency.pattern, "$.route = \"POST /webhook/{secret}\"")
    error_message = "Pages may take longer."
  }
  assert {
    condition     = alltrue([for name, alarm in aws_cloudwatch_metric_alarm.this : alarm.treat_missing_data == "breaching" if startswith(name, "silent-")]) && aws_cloudwatch_metric_alarm.this["silent-strava-reconcile"].comparison_operator == "LessThanOrEqualToThreshold"
    error_message = "A DAG that is paused makes no noise."
  }
  # tells the webhook's errors apart from the pages'
  assert {
    condition = {
      for name in ["webhook-errors", "page-errors"] : name => [
        aws_cloudwatch_log_metric_filter.this[name].log_group_name, aws_cloudwatch_log_metric_filter.this[name].metric_transformation[0].name == aws_cloudwatch_metric_alarm.this[name].metric_name
      ]
    } == { webhook-errors = ["/aws/vendedlogs/apigateway/strava-test", true], page-errors = ["/aws/vendedlogs/apigateway/strava-test", true] }
    error_message = "Each has a metric of its own, from the access log."
  }
  assert {
    condition     = strcontains(aws_cloudwatch_log_metric_filter.this["webhook-errors"].pattern, "$.route = \"POST /webhook/{secret}\"") && strcontains(aws_cloudwatch_log_metric_filter.this["page-errors"].pattern, "$.route != \"POST /webhook/{secret}\"")
    error_message = "What the one counts the other does not."
  }
  # lets eventbridge publish without a condition, and the others for this account only
  assert {
    condition = [
      for statement in jsondecode(aws_sns_topic_policy.alarms.policy).Statement : [statement.Principal.Service, can(statement.Condition)]
    ] == [[["cloudwatch.amazonaws.com", "budgets.amazonaws.com"], true], ["events.amazonaws.com", false]]
    error_message = "With a condition no event arrives."
  }
  # takes a test for a failed crawl
  assert {
    condition     = contains(jsondecode(aws_cloudwatch_event_rule.crawler.event_pattern).source, output.paths.event.Source) && jsondecode(aws_cloudwatch_event_rule.crawler.event_pattern).detail.crawlerName == [jsondecode(output.paths.event.Detail).crawlerName]
    error_message = "The rule matches what is sent as a test."
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.this["scheduler"].treat_missing_data == "breaching" && aws_cloudwatch_metric_alarm.this["scheduler"].comparison_operator == "LessThanOrEqualToThreshold"
    error_message = "Silence is the alarm."
  }
  assert {
    condition     = jsondecode(aws_cloudwatch_event_rule.crawler.event_pattern).detail.state == ["Failed"]
    error_message = "A failed crawl is announced."
  }
  assert {
    condition     = length(jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets) == 10
    error_message = "Ten panels."
  }
  # warns before the money is spent
  assert {
    condition     = aws_budgets_budget.this.limit_amount == "300" && toset([for note in aws_budgets_budget.this.notification : note.threshold]) == toset([80, 100])
    error_message = "At 80 % spent and at 100 % foreseen."
  }
}

run "mails_whoever_asks" {
  command = plan
  module { source = "./modules/observability" }
  variables {
    alarm_emails = ["ops@example.org"]
  }

  assert {
    condition     = length(aws_sns_topic_subscription.email) == 1
    error_message = "One subscription for each address."
  }
}

run "refuses" {
  command = plan
  module { source = "./modules/observability" }
  variables {
    # refuses an address that is none
    alarm_emails = ["ops"]
    # refuses a budget of nothing
    monthly_budget_usd = 0
    # refuses a patience longer than stravas
    webhook_p99_ms = 3000
    # refuses an event that waits for days
    oldest_event_s = 1000000
  }

  expect_failures = [var.alarm_emails, var.monthly_budget_usd, var.webhook_p99_ms, var.oldest_event_s]
}
