# The lake's bucket, its catalogue and how analysts ask it.
# `tables.json` and `queries.json` are written by `make docs` from the code.

data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}
data "aws_region" "current" {}

locals {
  tables  = jsondecode(file("${path.module}/tables.json"))
  queries = jsondecode(file("${path.module}/queries.json"))

  partition  = data.aws_partition.current.partition
  account_id = data.aws_caller_identity.current.account_id
  region     = data.aws_region.current.name

  buckets  = { lake = aws_s3_bucket.lake, results = aws_s3_bucket.results }
  database = replace(var.name, "-", "_")
  prefix   = "lake"
  crawler  = "${var.name}-crawler"
}

# --- buckets -----------------------------------------------------------------------------------------

resource "aws_s3_bucket" "lake" {
  # checkov:skip=CKV_AWS_18:keys hold athletes' ids, and access logs would outlive an erasure
  # checkov:skip=CKV_AWS_144:one region by design; versions and the raw zone at Strava are the way back
  # checkov:skip=CKV2_AWS_62:nothing listens to the bucket; the run that writes registers the partition itself
  bucket        = "${var.name}-lake-${local.account_id}-${local.region}"
  force_destroy = !var.is_protected
}

resource "aws_s3_bucket" "results" {
  # checkov:skip=CKV_AWS_18:answers of queries, gone after some days
  # checkov:skip=CKV_AWS_21:answers of queries can be asked again
  # checkov:skip=CKV_AWS_144:answers of queries can be asked again
  # checkov:skip=CKV2_AWS_62:nothing listens to the bucket
  bucket        = "${var.name}-results-${local.account_id}-${local.region}"
  force_destroy = true
}

resource "aws_s3_bucket_public_access_block" "this" {
  for_each = local.buckets

  bucket                  = each.value.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "this" {
  for_each = local.buckets

  bucket = each.value.id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "this" {
  for_each = local.buckets

  bucket = each.value.id

  rule {
    bucket_key_enabled = true

    apply_server_side_encryption_by_default {
      sse_algorithm     = "aws:kms"
      kms_master_key_id = var.data_key_arn
    }
  }
}

resource "aws_s3_bucket_policy" "tls" {
  for_each = local.buckets

  bucket = each.value.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "OnlyByTls"
      Effect    = "Deny"
      Principal = "*"
      Action    = "s3:*"
      Resource  = [each.value.arn, "${each.value.arn}/*"]
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }]
  })

  depends_on = [aws_s3_bucket_public_access_block.this]
}

# A month's object is rewritten at every change: its old versions hold what an erasure promises to remove.
resource "aws_s3_bucket_versioning" "lake" {
  bucket = aws_s3_bucket.lake.id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "lake" {
  # checkov:skip=CKV_AWS_300:the first rule does, for all objects; the check looks at the rules with a prefix
  bucket = aws_s3_bucket.lake.id

  rule {
    id     = "old-versions"
    status = "Enabled"

    filter {}

    noncurrent_version_expiration {
      noncurrent_days = var.noncurrent_days
    }

    expiration {
      expired_object_delete_marker = true
    }

    abort_incomplete_multipart_upload {
      days_after_initiation = 1
    }
  }

  dynamic "rule" {
    for_each = var.retention_days == "keep" ? [] : ["raw", "gpx"]

    content {
      id     = "${rule.value}-retention"
      status = "Enabled"

      filter {
        prefix = "${local.prefix}/${rule.value}/"
      }

      expiration {
        days = tonumber(var.retention_days)
      }
    }
  }

  depends_on = [aws_s3_bucket_versioning.lake]
}

resource "aws_s3_bucket_lifecycle_configuration" "results" {
  bucket = aws_s3_bucket.results.id

  rule {
    id     = "answers"
    status = "Enabled"

    filter {}

    expiration {
      days = var.answers_days
    }

    abort_incomplete_multipart_upload {
      days_after_initiation = 1
    }
  }
}

# --- catalogue ---------------------------------------------------------------------------------------

resource "aws_glue_catalog_database" "this" {
  name        = local.database
  description = "The lake of ${var.name}"
}

resource "aws_glue_catalog_table" "this" {
  for_each = local.tables

  name          = each.key
  database_name = aws_glue_catalog_database.this.name
  table_type    = "EXTERNAL_TABLE"

  parameters = {
    classification = "parquet"
    EXTERNAL       = "TRUE"
  }

  dynamic "partition_keys" {
    for_each = each.value.partition_keys

    content {
      name = partition_keys.value.name
      type = partition_keys.value.type
    }
  }

  storage_descriptor {
    location      = "s3://${aws_s3_bucket.lake.bucket}/${local.prefix}/${each.key}/"
    input_format  = "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat"
    output_format = "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat"

    ser_de_info {
      serialization_library = "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"
    }

    dynamic "columns" {
      for_each = each.value.columns

      content {
        name    = columns.value.name
        type    = columns.value.type
        comment = columns.value.comment
      }
    }
  }

  lifecycle {
    # Glue and the crawler count here what they saw; it is no part of the definition.
    ignore_changes = [parameters]
  }
}

# It finds partitions that no run has registered. With the tables as its targets it cannot invent one, with the schema
# inherited and changes only logged it does not alter one, and its role could not.
resource "aws_glue_crawler" "this" {
  name                   = "${var.name}-lake"
  description            = "Partitions of the lake that no run has registered"
  database_name          = aws_glue_catalog_database.this.name
  role                   = aws_iam_role.crawler.arn
  security_configuration = aws_glue_security_configuration.crawler.name

  catalog_target {
    database_name = aws_glue_catalog_database.this.name
    tables        = sort([for table in aws_glue_catalog_table.this : table.name])
  }

  schema_change_policy {
    delete_behavior = "LOG"
    update_behavior = "LOG"
  }

  recrawl_policy {
    recrawl_behavior = "CRAWL_EVERYTHING"
  }

  configuration = jsonencode({
    Version       = 1.0
    CrawlerOutput = { Partitions = { AddOrUpdateBehavior = "InheritFromTable" } }
  })

  depends_on = [aws_iam_role_policy.crawler, aws_cloudwatch_log_group.crawler]
}

# With a configuration of its own Glue logs to a group named by role and configuration, here both `local.crawler`;
# without one, to a group of the whole account that nobody empties.
resource "aws_glue_security_configuration" "crawler" {
  name = local.crawler

  encryption_configuration {
    cloudwatch_encryption {
      cloudwatch_encryption_mode = "SSE-KMS"
      kms_key_arn                = var.data_key_arn
    }

    job_bookmarks_encryption {
      job_bookmarks_encryption_mode = "CSE-KMS"
      kms_key_arn                   = var.data_key_arn
    }

    s3_encryption {
      s3_encryption_mode = "SSE-KMS"
      kms_key_arn        = var.data_key_arn
    }
  }
}

resource "aws_cloudwatch_log_group" "crawler" {
  # checkov:skip=CKV_AWS_338:logs are part of what an erasure has to wait for: 30 days, not a year
  name              = "/aws-glue/crawlers-role/${local.crawler}-${local.crawler}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.data_key_arn
}

# Earlier versions owned the log of the whole account, which others may use as well.
removed {
  from = aws_cloudwatch_log_group.crawlers

  lifecycle {
    destroy = false
  }
}

# --- queries -----------------------------------------------------------------------------------------

resource "aws_athena_workgroup" "this" {
  name          = var.name
  description   = "Analysts of the lake: a query may read ${var.scan_limit_gb} GB and no more"
  force_destroy = true

  configuration {
    enforce_workgroup_configuration    = true
    publish_cloudwatch_metrics_enabled = true
    bytes_scanned_cutoff_per_query     = var.scan_limit_gb * 1024 * 1024 * 1024

    engine_version {
      selected_engine_version = "Athena engine version 3"
    }

    result_configuration {
      output_location       = "s3://${aws_s3_bucket.results.bucket}/answers/"
      expected_bucket_owner = local.account_id

      encryption_configuration {
        encryption_option = "SSE_KMS"
        kms_key_arn       = var.data_key_arn
      }
    }
  }
}

resource "aws_athena_named_query" "this" {
  for_each = local.queries

  name        = each.key
  description = each.value.question
  database    = aws_glue_catalog_database.this.name
  workgroup   = aws_athena_workgroup.this.name
  query       = each.value.sql
}
