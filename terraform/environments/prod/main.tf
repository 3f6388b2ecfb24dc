# For athletes: tables, lake and secret refuse a mistaken destroy, and one zone may fail.

provider "aws" {
  region = var.region

  default_tags {
    tags = { project = "strava-data-ingest", environment = "prod" }
  }
}

module "system" {
  source = "../../modules/system"

  name               = "strava-prod"
  dist               = var.dist
  is_protected       = true
  retention_days     = var.retention_days
  operator           = var.operator
  mail_url           = var.mail_url
  monthly_budget_usd = 700
  alarm_emails       = var.alarm_emails
  domain             = var.domain
  secret_prefix      = var.secret_prefix

  network = { nat_gateway_count = 2, existing = var.existing_network }
  airflow = {
    environment_class = "mw1.small"
    workers           = { min = 1, max = 4 }
  }
}
