# One page: events in, runs out, what waits, what failed.

locals {
  api = ["ApiId", var.api_id, "Stage", "$default"]
  panels = [
    {
      title = "Webhook and pages: requests and errors"
      metrics = [
        concat(["AWS/ApiGateway", "Count"], local.api, [{ stat = "Sum" }]),
        concat(["AWS/ApiGateway", "4xx"], local.api, [{ stat = "Sum" }]),
        concat(["AWS/ApiGateway", "5xx"], local.api, [{ stat = "Sum" }]),
      ]
    },
    {
      title = "Webhook and pages together, and the webhook alone: latency (ms)"
      metrics = [
        concat(["AWS/ApiGateway", "Latency"], local.api, [{ stat = "p50" }]),
        concat(["AWS/ApiGateway", "Latency"], local.api, [{ stat = "p99" }]),
        [local.namespace, "${var.name}-webhook-latency", { stat = "p99" }],
      ]
    },
    {
      title = "Queue: waiting, given up"
      metrics = [
        ["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", var.queue_name, { stat = "Maximum" }],
        ["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", var.dead_letters_name, { stat = "Maximum" }],
      ]
    },
    {
      title = "Queue: age of the oldest event (s)"
      metrics = [
        ["AWS/SQS", "ApproximateAgeOfOldestMessage", "QueueName", var.queue_name, { stat = "Maximum" }],
      ]
    },
    {
      title = "Functions: errors and throttles"
      metrics = [
        for pair in setproduct([var.http_function_name, var.dispatcher_function_name], ["Errors", "Throttles"]) :
        ["AWS/Lambda", pair[1], "FunctionName", pair[0], { stat = "Sum" }]
      ]
    },
    {
      title = "Airflow: failed runs"
      metrics = [
        for dag_id in local.dag_ids :
        ["AmazonMWAA", "DAGDurationFailed", "DAG", dag_id, "Environment", var.environment_name, { stat = "SampleCount" }]
      ]
    },
    {
      title = "Airflow: duration of good runs (ms)"
      metrics = [
        for dag_id in local.dag_ids :
        ["AmazonMWAA", "DAGDurationSuccess", "DAG", dag_id, "Environment", var.environment_name, { stat = "p90" }]
      ]
    },
    {
      title = "Athletes to connect again; calls of the day spent; quarantine; answers 5xx of webhook and pages"
      metrics = [
        for name in keys(local.filters) : [local.namespace, "${var.name}-${name}", { stat = "Sum" }]
      ]
    },
    {
      title = "Events: received, queued, dropped; taken to Airflow, returned, left to the ledger, given up"
      metrics = [
        for pair in concat(
          setproduct([var.http_function_name], ["EventsReceived", "EventsQueued", "EventsDropped"]),
          setproduct(
            [var.dispatcher_function_name],
            ["EventsDispatched", "RunsStarted", "EventsReleased", "EventsWaiting", "EventsBuried"],
          ),
        ) : [local.namespace, pair[1], "FunctionName", pair[0], { stat = "Sum" }]
      ]
    },
    {
      title = "Events: from the webhook to a run (s)"
      metrics = [
        for stat in ["p50", "p99"] :
        [local.namespace, "EventWaitSeconds", "FunctionName", var.dispatcher_function_name, { stat = stat }]
      ]
    },
  ]
}

resource "aws_cloudwatch_dashboard" "this" {
  dashboard_name = var.name

  dashboard_body = jsonencode({
    widgets = [
      for position, panel in local.panels : {
        type   = "metric"
        x      = 12 * (position % 2)
        y      = 6 * floor(position / 2)
        width  = 12
        height = 6
        properties = {
          title   = panel.title
          metrics = panel.metrics
          region  = data.aws_region.current.name
          period  = 300
          view    = "timeSeries"
        }
      }
    ]
  })
}
