output "environment_name" {
  description = "The environment's name."
  value       = aws_mwaa_environment.this.name
}

output "webserver_url" {
  description = "Airflow's pages."
  value       = "https://${aws_mwaa_environment.this.webserver_url}"
}

output "bucket_name" {
  description = "The bucket into which DAGs are synced."
  value       = aws_s3_bucket.this.bucket
}

output "execution_role_arn" {
  description = "The role of the environment."
  value       = aws_iam_role.execution.arn
}

output "task_log_group_name" {
  description = "Where tasks log."
  value       = aws_cloudwatch_log_group.this["Task"].name
}

output "airflow_policy_arns" {
  description = "For people, by what they are: viewer, engineer, operator."
  value       = { for name, policy in aws_iam_policy.airflow : name => policy.arn }
}
