# Tables, keys and the one secret. `tables.json` is written by `make docs` from the code.

data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}
data "aws_region" "current" {}

locals {
  tables = jsondecode(file("${path.module}/tables.json"))

  account_root = "arn:${data.aws_partition.current.partition}:iam::${data.aws_caller_identity.current.account_id}:root"
  log_groups   = "arn:${data.aws_partition.current.partition}:logs:${data.aws_region.current.name}:${data.aws_caller_identity.current.account_id}:log-group:*"

  # IAM decides who may use a key; without this statement nobody could, its administrators included.
  administration = {
    Sid       = "AccountDecidesByIam"
    Effect    = "Allow"
    Principal = { AWS = local.account_root }
    Action    = "kms:*"
    Resource  = "*"
  }
}

# --- keys --------------------------------------------------------------------------------------------

resource "aws_kms_key" "data" {
  description             = "${var.name}: everything at rest but athletes' tokens"
  enable_key_rotation     = true
  deletion_window_in_days = var.key_deletion_window_days

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      local.administration,
      {
        Sid       = "LogGroups"
        Effect    = "Allow"
        Principal = { Service = "logs.${data.aws_region.current.name}.amazonaws.com" }
        Action    = ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"]
        Resource  = "*"
        Condition = { ArnLike = { "kms:EncryptionContext:aws:logs:arn" = local.log_groups } }
      },
      {
        Sid       = "AlarmsToTopic"
        Effect    = "Allow"
        Principal = { Service = ["cloudwatch.amazonaws.com", "budgets.amazonaws.com"] }
        Action    = ["kms:Decrypt", "kms:GenerateDataKey*"]
        Resource  = "*"
        Condition = { StringEquals = { "aws:SourceAccount" = data.aws_caller_identity.current.account_id } }
      },
      {
        # To an encrypted topic EventBridge gives no source by which a condition could know it (SNS's developer guide).
        Sid       = "EventsToTopic"
        Effect    = "Allow"
        Principal = { Service = "events.amazonaws.com" }
        Action    = ["kms:Decrypt", "kms:GenerateDataKey*"]
        Resource  = "*"
      },
    ]
  })
}

resource "aws_kms_alias" "data" {
  name          = "alias/${var.name}-data"
  target_key_id = aws_kms_key.data.key_id
}

# A key of its own: who may read the tables does not thereby read athletes' tokens.
resource "aws_kms_key" "token" {
  description             = "${var.name}: athletes' tokens, bound to the athlete by the encryption context"
  enable_key_rotation     = true
  deletion_window_in_days = var.key_deletion_window_days

  policy = jsonencode({ Version = "2012-10-17", Statement = [local.administration] })
}

resource "aws_kms_alias" "token" {
  name          = "alias/${var.name}-token"
  target_key_id = aws_kms_key.token.key_id
}

# --- tables ------------------------------------------------------------------------------------------

resource "aws_dynamodb_table" "this" {
  for_each = local.tables

  name         = "${var.name}-${each.key}"
  billing_mode = "PAY_PER_REQUEST"
  hash_key     = each.value.keys.hash
  range_key    = each.value.keys.range

  deletion_protection_enabled = var.is_protected

  dynamic "attribute" {
    for_each = each.value.attributes

    content {
      name = attribute.key
      type = attribute.value
    }
  }

  dynamic "global_secondary_index" {
    for_each = each.value.indexes

    content {
      name            = global_secondary_index.key
      hash_key        = global_secondary_index.value.hash
      range_key       = global_secondary_index.value.range
      projection_type = "ALL"
    }
  }

  dynamic "ttl" {
    for_each = each.value.expiry == null ? [] : [each.value.expiry]

    content {
      attribute_name = ttl.value
      enabled        = true
    }
  }

  point_in_time_recovery {
    enabled                 = true
    recovery_period_in_days = var.recovery_days
  }

  server_side_encryption {
    enabled     = true
    kms_key_arn = aws_kms_key.data.arn
  }
}

# --- the secret --------------------------------------------------------------------------------------

# At once Airflow's Connection and what the Lambdas read. Its value is put there by hand, never by Terraform.
resource "aws_secretsmanager_secret" "strava_api" {
  # checkov:skip=CKV2_AWS_57:Strava's client secret is changed at strava.com by hand; nothing here could rotate it
  name                    = "${var.secret_prefix}/strava_api"
  description             = "Strava application, webhook and cookie secrets of ${var.name}, as a JSON object"
  kms_key_id              = aws_kms_key.data.arn
  recovery_window_in_days = var.is_protected ? 30 : 0
}
