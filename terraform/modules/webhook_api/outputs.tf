output "privacy_url" {
  description = "Where the statement on data protection is; PRIVACY_URL."
  value       = local.privacy_url
}

output "public_url" {
  description = "Where browsers and Strava reach the pages; PUBLIC_URL."
  value       = local.public_url
}

output "domain_target" {
  description = "To what the domain's own name server has to point, where its zone is not in Route 53."
  value       = one([for domain in aws_apigatewayv2_domain_name.this : domain.domain_name_configuration[0].target_domain_name])
}

output "queue_url" {
  description = "QUEUE_URL."
  value       = aws_sqs_queue.events.url
}

output "queue_arn" {
  description = "The queue of events."
  value       = aws_sqs_queue.events.arn
}

output "queue_name" {
  description = "The queue of events, as its metrics name it."
  value       = aws_sqs_queue.events.name
}

output "dead_letters_name" {
  description = "The dead letters, as their metrics name them."
  value       = aws_sqs_queue.dead_letters.name
}

output "api_id" {
  description = "The HTTP API, as its metrics name it."
  value       = aws_apigatewayv2_api.this.id
}

output "access_log_group_name" {
  description = "Where the API logs its answers, by route."
  value       = aws_cloudwatch_log_group.access.name
}

output "http_function_name" {
  description = "The function that answers."
  value       = aws_lambda_function.http.function_name
}

output "dispatcher_function_name" {
  description = "The function that starts runs."
  value       = aws_lambda_function.dispatcher.function_name
}

output "role_arns" {
  description = "The functions' roles."
  value       = { http = aws_iam_role.http.arn, dispatcher = aws_iam_role.dispatcher.arn }
}

output "settings" {
  description = "What the web function reads from its environment: where everything is, and which secret holds the rest."
  value       = local.with_secret
}
