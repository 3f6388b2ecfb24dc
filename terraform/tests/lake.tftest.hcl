mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  name           = "strava-test"
  data_key_arn   = "arn:aws:kms:eu-central-1:123456789012:key/data"
  retention_days = 7
}

run "by_default" {
  command = apply
  module { source = "./modules/lake" }

  # expires old versions after a week and raw answers with the retention
  assert {
    condition     = aws_s3_bucket_lifecycle_configuration.lake.rule[0].noncurrent_version_expiration[0].noncurrent_days == 7
    error_message = "An erasure is complete after seven days."
  }
  # forgets answers of queries after a week and has the crawler log where nobody else does
  assert {
    condition     = [for rule in aws_s3_bucket_lifecycle_configuration.results.rule : [rule.status, rule.expiration[0].days]] == [["Enabled", 7]] && aws_s3_bucket_lifecycle_configuration.results.bucket == aws_s3_bucket.results.id
    error_message = "Answers name athletes: seven days, whatever their name."
  }
  assert {
    condition     = aws_cloudwatch_log_group.crawler.name == "/aws-glue/crawlers-role/${aws_iam_role.crawler.name}-${aws_glue_crawler.this.security_configuration}" && aws_iam_role.crawler.name == aws_glue_security_configuration.crawler.name
    error_message = "Glue names the group by role and configuration; AWS's pages differ in the order, so both have one name."
  }
  assert {
    condition     = aws_cloudwatch_log_group.crawler.retention_in_days == 30 && aws_cloudwatch_log_group.crawler.kms_key_id == var.data_key_arn && aws_glue_security_configuration.crawler.encryption_configuration[0].cloudwatch_encryption[0].kms_key_arn == var.data_key_arn
    error_message = "Thirty days, encrypted."
  }
  assert {
    condition = [for rule in aws_s3_bucket_lifecycle_configuration.lake.rule : [rule.filter[0].prefix, rule.expiration[0].days] if endswith(rule.id, "-retention")] == [
      ["lake/raw/", 7], ["lake/gpx/", 7]
    ]
    error_message = "Raw answers and upload files go with the retention; the tables are the retention DAG's."
  }
  # blocks the public and plain http on both buckets
  assert {
    condition = alltrue([
      for block in aws_s3_bucket_public_access_block.this :
      block.block_public_acls && block.block_public_policy && block.ignore_public_acls && block.restrict_public_buckets
    ]) && length(aws_s3_bucket_public_access_block.this) == 2
    error_message = "Both buckets are closed to the public."
  }
  assert {
    condition = alltrue([
      for policy in aws_s3_bucket_policy.tls :
      jsondecode(policy.policy).Statement[0].Effect == "Deny" && jsondecode(policy.policy).Statement[0].Condition.Bool["aws:SecureTransport"] == "false"
    ]) && length(aws_s3_bucket_policy.tls) == 2
    error_message = "Both buckets are reached by TLS only."
  }
  assert {
    condition     = alltrue([for sse in aws_s3_bucket_server_side_encryption_configuration.this : one(sse.rule).apply_server_side_encryption_by_default[0].kms_master_key_id == var.data_key_arn])
    error_message = "Both buckets are encrypted with the data key."
  }
  # crawls the defined tables and cannot change them
  assert {
    condition     = toset(aws_glue_crawler.this.catalog_target[0].tables) == toset(keys(aws_glue_catalog_table.this)) && length(aws_glue_crawler.this.s3_target) == 0
    error_message = "The crawler's targets are the tables that exist."
  }
  assert {
    condition     = aws_glue_crawler.this.schema_change_policy[0].delete_behavior == "LOG" && aws_glue_crawler.this.schema_change_policy[0].update_behavior == "LOG"
    error_message = "Changes are logged, not made."
  }
  assert {
    condition     = jsondecode(aws_glue_crawler.this.configuration).CrawlerOutput.Partitions.AddOrUpdateBehavior == "InheritFromTable"
    error_message = "A partition's schema is its table's."
  }
  assert {
    condition     = [for key in aws_glue_catalog_table.this["streams"].partition_keys : "${key.name} ${key.type}"] == ["athlete_id bigint", "year int"]
    error_message = "Partition keys are typed."
  }
  assert {
    condition     = endswith(aws_glue_catalog_table.this["streams"].storage_descriptor[0].location, "/lake/streams/") && endswith(output.lake_url, "/lake")
    error_message = "A table lies where the code writes it."
  }
  # caps what a query reads and offers the cookbook
  assert {
    condition     = aws_athena_workgroup.this.configuration[0].bytes_scanned_cutoff_per_query == 10 * 1024 * 1024 * 1024 && aws_athena_workgroup.this.configuration[0].enforce_workgroup_configuration
    error_message = "Ten gigabytes, whatever the client says."
  }
  assert {
    condition     = length(aws_athena_named_query.this) >= 12 && alltrue([for query in aws_athena_named_query.this : strcontains(query.query, "SELECT")])
    error_message = "Every query of the cookbook is there."
  }
}

run "keeps_everything_where_the_owner_says_so_and_is_emptied_on_destroy_where_nothing_is_protected" {
  command = plan
  module { source = "./modules/lake" }
  variables {
    retention_days = "keep"
    is_protected   = false
  }

  assert {
    condition     = length(aws_s3_bucket_lifecycle_configuration.lake.rule) == 1
    error_message = "Only old versions expire."
  }
  assert {
    condition     = aws_s3_bucket.lake.force_destroy
    error_message = "A destroyed trial leaves no bucket behind."
  }
}

run "keeps_answers_and_the_crawlers_log_as_long_as_it_is_told" {
  command = plan
  module { source = "./modules/lake" }
  variables {
    answers_days       = 3
    log_retention_days = 14
  }

  assert {
    condition     = aws_s3_bucket_lifecycle_configuration.results.rule[0].expiration[0].days == 3
    error_message = "Three days."
  }
  assert {
    condition     = aws_cloudwatch_log_group.crawler.retention_in_days == 14
    error_message = "Fourteen days."
  }
}

run "refuses" {
  command = plan
  module { source = "./modules/lake" }
  variables {
    # refuses answers that outlast an erasure
    answers_days = 31
    # refuses a log that outlasts an erasure
    log_retention_days = 60
    # refuses a fraction of a day
    retention_days = "0.5"
    # refuses old versions that outlast an erasure
    noncurrent_days = 365
    # refuses unlimited scans
    scan_limit_gb = 0
  }

  expect_failures = [var.retention_days, var.noncurrent_days, var.answers_days, var.log_retention_days, var.scan_limit_gb]
}
