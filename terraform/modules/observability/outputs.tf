output "paths" {
  description = "The ways by which an alarm arrives, for `make alarms`: the topic, an alarm to it, an event to it."
  value = {
    topic_arn  = aws_sns_topic.alarms.arn
    alarm_name = aws_cloudwatch_metric_alarm.this["dead-letters"].alarm_name
    event = {
      Source     = local.test_source
      DetailType = local.crawl_failed.type
      Detail     = jsonencode({ crawlerName = var.crawler_name, state = local.crawl_failed.state })
    }
  }
}
