output "public_url" {
  description = "Where browsers and Strava reach the pages."
  value       = module.system.public_url
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

output "alarm_topic_arn" {
  description = "Where alarms go."
  value       = module.system.alarm_topic_arn
}

output "settings" {
  description = "What the web function reads from its environment: where everything is, and which secret holds the rest."
  value       = module.system.settings
}
