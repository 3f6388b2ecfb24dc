# For trying things: the smallest Airflow, and everything goes away with `make destroy ENV=dev`.

provider "aws" {
  region = var.region

  default_tags {
    tags = { project = "strava-data-ingest", environment = "dev" }
  }
}

module "system" {
  source = "../../modules/system"

  name               = "strava-dev"
  dist               = var.dist
  is_protected       = false
  retention_days     = var.retention_days
  operator           = var.operator
  mail_url           = var.mail_url
  monthly_budget_usd = 350
  alarm_emails       = var.alarm_emails
  domain             = var.domain
  secret_prefix      = var.secret_prefix

  network = { nat_gateway_count = 1, existing = var.existing_network }
  airflow = {
    environment_class = "mw1.micro"
    workers           = { min = 1, max = 1 }
  }
}
