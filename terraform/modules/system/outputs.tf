output "account_id" {
  description = "In which account all of it is."
  value       = data.aws_caller_identity.current.account_id
}

output "public_url" {
  description = "Where browsers and Strava reach the pages."
  value       = module.webhook_api.public_url
}

output "domain_target" {
  description = "To what the domain's own name server has to point, where its zone is not in Route 53."
  value       = module.webhook_api.domain_target
}

output "airflow_url" {
  description = "Airflow's pages."
  value       = module.mwaa.webserver_url
}

output "airflow_environment" {
  description = "The MWAA environment."
  value       = module.mwaa.environment_name
}

output "dags_bucket" {
  description = "The bucket into which DAGs are synced."
  value       = module.mwaa.bucket_name
}

output "lake_url" {
  description = "LAKE_URL."
  value       = module.lake.lake_url
}

output "queue_url" {
  description = "QUEUE_URL."
  value       = module.webhook_api.queue_url
}

output "secret_name" {
  description = "The secret whose value is put there by hand."
  value       = module.state.secret_name
}

output "workgroup_name" {
  description = "Athena's workgroup for analysts."
  value       = module.lake.workgroup_name
}

output "analyst_policy_arn" {
  description = "Attach it to whoever may ask the lake."
  value       = module.lake.analyst_policy_arn
}

output "airflow_policy_arns" {
  description = "Attach them to whoever works with Airflow's pages: viewer, engineer, operator."
  value       = module.mwaa.airflow_policy_arns
}

output "alarm_paths" {
  description = "The ways by which an alarm arrives, for `make alarms`."
  value       = module.observability.paths
}

output "settings" {
  description = "What the web function reads from its environment: where everything is, and which secret holds the rest."
  value       = module.webhook_api.settings
}
