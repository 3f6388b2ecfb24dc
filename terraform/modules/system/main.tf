# The whole system: the six modules and what each has to know of the others.

data "aws_caller_identity" "current" {}

locals {
  # One that was not built has no hash, which stops an apply in the module that needs it, and no destroy.
  artefact = {
    for file in ["plugins.zip", "requirements.txt", "dags/constraints-3.3.1.txt", "webhook_http.zip", "webhook_dispatcher.zip"] :
    file => { path = "${var.dist}/${file}", hash = try(filebase64sha256("${var.dist}/${file}"), "") }
  }

  mail_from = startswith(var.mail_url, "ses://") ? var.operator.contact : ""

  # What the code reads from its environment, beside the secrets.
  settings = merge(var.strava_settings, {
    STATE_URL      = module.state.state_url
    RETENTION_DAYS = var.retention_days
    KEY_URL        = module.state.key_url
    LAKE_URL       = module.lake.lake_url
    CATALOG_URL    = module.lake.catalog_url
    CRAWL_EVERY_H  = tostring(var.crawl_every_h)
    OPERATOR_NAME  = var.operator.name
    CONTACT        = var.operator.contact
    MAIL_URL       = var.mail_url

    # What the certificate of an erasure says of places that remember for a while.
    VERSIONS_KEEP_DAYS = tostring(var.noncurrent_days)
    RECOVERY_KEEP_DAYS = tostring(var.recovery_days)
    LOGS_KEEP_DAYS     = tostring(var.log_retention_days)
    MESSAGES_KEEP_DAYS = tostring(2 * var.message_days) # in the queue, then among the dead letters
    RUNS_KEEP_DAYS     = tostring(var.run_days)
    ANSWERS_KEEP_DAYS  = tostring(var.answers_days)

    CRAWLER_LOG_KEEP_DAYS = tostring(var.log_retention_days)
  })
}

module "network" {
  source = "../network"

  name              = var.name
  cidr_block        = var.network.cidr_block
  nat_gateway_count = var.network.nat_gateway_count
  existing          = var.network.existing
}

module "state" {
  source = "../state"

  name                     = var.name
  is_protected             = var.is_protected
  recovery_days            = var.recovery_days
  key_deletion_window_days = var.is_protected ? 30 : 7
  secret_prefix            = var.secret_prefix
}

module "lake" {
  source = "../lake"

  name               = var.name
  is_protected       = var.is_protected
  data_key_arn       = module.state.data_key_arn
  retention_days     = var.retention_days
  noncurrent_days    = var.noncurrent_days
  answers_days       = var.answers_days
  log_retention_days = var.log_retention_days
  scan_limit_gb      = var.scan_limit_gb
}

module "webhook_api" {
  source = "../webhook_api"

  name                = var.name
  settings            = local.settings
  privacy_url         = var.operator.privacy_url
  mail_from           = local.mail_from
  domain              = var.domain
  airflow_environment = var.name
  table_arns          = module.state.table_arns
  data_key_arn        = module.state.data_key_arn
  token_key_arn       = module.state.token_key_arn
  secret_arn          = module.state.secret_arn
  secret_name         = module.state.secret_name
  log_retention_days  = var.log_retention_days
  message_days        = var.message_days

  http = merge(var.http, {
    zip_path = local.artefact["webhook_http.zip"].path
    zip_hash = local.artefact["webhook_http.zip"].hash
  })
  dispatcher = merge(var.dispatcher, {
    zip_path = local.artefact["webhook_dispatcher.zip"].path
    zip_hash = local.artefact["webhook_dispatcher.zip"].hash
  })
}

module "mwaa" {
  source = "../mwaa"

  name               = var.name
  environment_class  = var.airflow.environment_class
  workers            = var.airflow.workers
  log_levels         = var.airflow.log_levels
  private_subnet_ids = module.network.private_subnet_ids
  security_group_id  = module.network.security_group_id
  plugins            = local.artefact["plugins.zip"]
  requirements       = local.artefact["requirements.txt"]
  constraints        = local.artefact["dags/constraints-3.3.1.txt"]
  connections_prefix = var.secret_prefix
  data_key_arn       = module.state.data_key_arn
  token_key_arn      = module.state.token_key_arn
  secret_arn         = module.state.secret_arn
  table_arns         = module.state.table_arns
  queue_arn          = module.webhook_api.queue_arn
  mail_from          = local.mail_from
  log_retention_days = var.log_retention_days

  settings = merge(local.settings, {
    PUBLIC_URL  = module.webhook_api.public_url
    PRIVACY_URL = module.webhook_api.privacy_url
    QUEUE_URL   = module.webhook_api.queue_url
    AIRFLOW_URL = "mwaa://${var.name}"
  })
  lake = {
    bucket_arn    = module.lake.bucket_arn
    object_prefix = module.lake.object_prefix
    catalog_arns  = module.lake.catalog_arns
    crawler_arn   = module.lake.crawler_arn
  }
}

module "observability" {
  source = "../observability"

  name                     = var.name
  alarm_emails             = var.alarm_emails
  monthly_budget_usd       = var.monthly_budget_usd
  data_key_arn             = module.state.data_key_arn
  environment_name         = module.mwaa.environment_name
  task_log_group_name      = module.mwaa.task_log_group_name
  queue_name               = module.webhook_api.queue_name
  dead_letters_name        = module.webhook_api.dead_letters_name
  api_id                   = module.webhook_api.api_id
  access_log_group_name    = module.webhook_api.access_log_group_name
  http_function_name       = module.webhook_api.http_function_name
  dispatcher_function_name = module.webhook_api.dispatcher_function_name
  crawler_name             = module.lake.crawler_name
}
