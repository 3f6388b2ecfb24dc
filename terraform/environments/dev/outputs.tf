output "region" {
  description = "Where all of it is; boto3 reads it nowhere that Terraform does."
  value       = var.region
}

output "account_id" {
  description = "In which account all of it is."
  value       = module.system.account_id
}

output "public_url" {
  description = "Where browsers and Strava reach the pages."
  value       = module.system.public_url
}

output "domain_target" {
  description = "To what the domain's own name server has to point, where its zone is not in Route 53."
  value       = module.system.domain_target
}

output "airflow_url" {
  description = "Airflow's pages."
  value       = module.system.airflow_url
}

output "airflow_environment" {
  description = "The MWAA environment."
  value       = module.system.airflow_environment
}

output "dags_bucket" {
  description = "The bucket into which DAGs are synced."
  value       = module.system.dags_bucket
}

output "lake_url" {
  description = "LAKE_URL."
  value       = module.system.lake_url
}

output "queue_url" {
  description = "QUEUE_URL."
  value       = module.system.queue_url
}

output "secret_name" {
  description = "The secret whose value is put there by hand."
  value       = module.system.secret_name
}

output "workgroup_name" {
  description = "Athena's workgroup for analysts."
  value       = module.system.workgroup_name
}

output "analyst_policy_arn" {
  description = "Attach it to whoever may ask the lake."
  value       = module.system.analyst_policy_arn
}

output "airflow_policy_arns" {
  description = "Attach them to whoever works with Airflow's pages: viewer, engineer, operator."
  value       = module.system.airflow_policy_arns
}

output "alarm_paths" {
  description = "The ways by which an alarm arrives, for `make alarms`."
  value       = module.system.alarm_paths
}

output "settings" {
  description = "What the web function reads from its environment: where everything is, and which secret holds the rest."
  value       = module.system.settings
}
