# Amazon MWAA: its bucket, what lies in it at exact versions, its log groups, its environment.
# The DAGs themselves are synced by `make deploy`: a change of theirs needs no update of the environment.

data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}
data "aws_region" "current" {}

locals {
  partition  = data.aws_partition.current.partition
  account_id = data.aws_caller_identity.current.account_id
  region     = data.aws_region.current.name

  log_levels = {
    DAGProcessing = var.log_levels.dag_processing
    Scheduler     = var.log_levels.scheduler
    Task          = var.log_levels.task
    WebServer     = var.log_levels.webserver
    Worker        = var.log_levels.worker
  }

  # As many tasks as a worker of the class takes, as minimum and maximum: a pool that shrinks kills tasks without a word.
  # mw1.small has 2 GB for what AWS says are five. One of ours holds 0.2 GB before any data, so it gets three until
  # somebody has measured the memory of a real worker.
  worker_slots = {
    "mw1.micro" = 3, "mw1.small" = 3, "mw1.medium" = 10, "mw1.large" = 20, "mw1.xlarge" = 40, "mw1.2xlarge" = 80
  }

  options = {
    "celery.worker_autoscale" = format("%[1]d,%[1]d", local.worker_slots[var.environment_class])
    # The end of a skipped task is noticed after a second instead of five; a task outlives half a minute of silence.
    "workers.min_heartbeat_interval" = "1"
    "workers.max_failed_heartbeats"  = "30"
    "secrets.backend"                = "airflow.providers.amazon.aws.secrets.secrets_manager.SecretsManagerBackend"
    "secrets.backend_kwargs" = jsonencode({
      connections_prefix         = var.connections_prefix
      connections_lookup_pattern = "^strava_api$"
      variables_prefix           = null
      config_prefix              = null
      sep                        = "/"
    })
  }
}

# --- the bucket and what lies in it ------------------------------------------------------------------

resource "aws_s3_bucket" "this" {
  # checkov:skip=CKV_AWS_18:code only, written by deployments; CloudTrail names who wrote
  # checkov:skip=CKV_AWS_144:code only; a deployment writes it again
  # checkov:skip=CKV2_AWS_62:nothing listens to the bucket but MWAA itself
  bucket        = "${var.name}-mwaa-${local.account_id}-${local.region}"
  force_destroy = true
}

resource "aws_s3_bucket_versioning" "this" {
  bucket = aws_s3_bucket.this.id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_public_access_block" "this" {
  bucket                  = aws_s3_bucket.this.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "this" {
  bucket = aws_s3_bucket.this.id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "this" {
  bucket = aws_s3_bucket.this.id

  rule {
    bucket_key_enabled = true

    apply_server_side_encryption_by_default {
      sse_algorithm     = "aws:kms"
      kms_master_key_id = var.data_key_arn
    }
  }
}

resource "aws_s3_bucket_policy" "tls" {
  bucket = aws_s3_bucket.this.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "OnlyByTls"
      Effect    = "Deny"
      Principal = "*"
      Action    = "s3:*"
      Resource  = [aws_s3_bucket.this.arn, "${aws_s3_bucket.this.arn}/*"]
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }]
  })

  depends_on = [aws_s3_bucket_public_access_block.this]
}

# An old version of plugins or requirements is the way back after a bad deployment.
resource "aws_s3_bucket_lifecycle_configuration" "this" {
  bucket = aws_s3_bucket.this.id

  rule {
    id     = "old-versions"
    status = "Enabled"

    filter {}

    noncurrent_version_expiration {
      noncurrent_days = 90
    }

    abort_incomplete_multipart_upload {
      days_after_initiation = 1
    }
  }

  depends_on = [aws_s3_bucket_versioning.this]
}

resource "aws_s3_object" "artefact" {
  for_each = {
    "plugins.zip"                = var.plugins
    "requirements.txt"           = var.requirements
    "dags/constraints-3.3.1.txt" = var.constraints # named by requirements.txt, so it has to be there at the first start
  }

  bucket      = aws_s3_bucket.this.id
  key         = each.key
  source      = each.value.path
  source_hash = each.value.hash
  kms_key_id  = var.data_key_arn

  lifecycle {
    precondition {
      condition     = each.value.hash != ""
      error_message = "${each.value.path} is missing: make package"
    }
  }

  depends_on = [
    aws_s3_bucket_versioning.this, aws_s3_bucket_server_side_encryption_configuration.this, aws_s3_bucket_policy.tls,
  ]
}

resource "aws_s3_object" "startup" {
  bucket       = aws_s3_bucket.this.id
  key          = "startup.sh"
  content      = templatefile("${path.module}/startup.sh.tftpl", { settings = var.settings })
  content_type = "text/x-shellscript"
  kms_key_id   = var.data_key_arn

  depends_on = [
    aws_s3_bucket_versioning.this, aws_s3_bucket_server_side_encryption_configuration.this, aws_s3_bucket_policy.tls,
  ]
}

# --- the environment ---------------------------------------------------------------------------------

# MWAA would create them itself, without retention and key, and leave them behind.
resource "aws_cloudwatch_log_group" "this" {
  # checkov:skip=CKV_AWS_338:logs are part of what an erasure has to wait for: 30 days, not a year
  for_each = local.log_levels

  name              = "airflow-${var.name}-${each.key}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.data_key_arn
}

resource "aws_mwaa_environment" "this" {
  # checkov:skip=CKV2_AWS_66:its pages are reached from anywhere, behind IAM; a private one the dispatcher could not reach
  name              = var.name
  airflow_version   = "3.3.1"
  environment_class = var.environment_class

  schedulers     = var.environment_class == "mw1.micro" ? 1 : 2
  min_workers    = var.workers.min
  max_workers    = var.workers.max
  min_webservers = var.environment_class == "mw1.micro" ? 1 : 2
  max_webservers = var.environment_class == "mw1.micro" ? 1 : 2

  execution_role_arn    = aws_iam_role.execution.arn
  webserver_access_mode = "PUBLIC_ONLY"
  kms_key               = var.data_key_arn

  source_bucket_arn                = aws_s3_bucket.this.arn
  dag_s3_path                      = "dags"
  plugins_s3_path                  = aws_s3_object.artefact["plugins.zip"].key
  plugins_s3_object_version        = aws_s3_object.artefact["plugins.zip"].version_id
  requirements_s3_path             = aws_s3_object.artefact["requirements.txt"].key
  requirements_s3_object_version   = aws_s3_object.artefact["requirements.txt"].version_id
  startup_script_s3_path           = aws_s3_object.startup.key
  startup_script_s3_object_version = aws_s3_object.startup.version_id

  airflow_configuration_options   = local.options
  weekly_maintenance_window_start = var.maintenance_window_start

  network_configuration {
    security_group_ids = [var.security_group_id]
    subnet_ids         = var.private_subnet_ids
  }

  logging_configuration {
    dag_processing_logs {
      enabled   = true
      log_level = local.log_levels.DAGProcessing
    }

    scheduler_logs {
      enabled   = true
      log_level = local.log_levels.Scheduler
    }

    task_logs {
      enabled   = true
      log_level = local.log_levels.Task
    }

    webserver_logs {
      enabled   = true
      log_level = local.log_levels.WebServer
    }

    worker_logs {
      enabled   = true
      log_level = local.log_levels.Worker
    }
  }

  lifecycle {
    precondition {
      condition     = var.environment_class != "mw1.micro" || (var.workers.min == 1 && var.workers.max == 1)
      error_message = "mw1.micro has exactly one worker: set workers to { min = 1, max = 1 }, or take mw1.small."
    }
  }

  depends_on = [
    aws_iam_role_policy.execution,
    aws_iam_role_policy.work,
    aws_cloudwatch_log_group.this,
    aws_s3_bucket_public_access_block.this,
  ]
}
