# The role of the environment: what MWAA itself needs, and what the tasks do.

resource "aws_iam_role" "execution" {
  name = "${var.name}-mwaa"

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = ["airflow.amazonaws.com", "airflow-env.amazonaws.com"] }
      Action    = "sts:AssumeRole"
      Condition = {
        StringEquals = { "aws:SourceAccount" = local.account_id }
        ArnLike      = { "aws:SourceArn" = "arn:${local.partition}:airflow:${local.region}:${local.account_id}:environment/${var.name}" }
      }
    }]
  })
}

resource "aws_iam_role_policy" "execution" {
  # checkov:skip=CKV_AWS_290:the three actions on * know no resource: see tests/terraform/test_policies.py
  # checkov:skip=CKV_AWS_355:the three actions on * know no resource: see tests/terraform/test_policies.py
  name = "environment"
  role = aws_iam_role.execution.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "ReportHealth"
        Effect   = "Allow"
        Action   = "airflow:PublishMetrics"
        Resource = "arn:${local.partition}:airflow:${local.region}:${local.account_id}:environment/${var.name}"
      },
      {
        # As in AWS's own sample: what MWAA asks of its bucket it says nowhere, and an answer that it lacks costs half
        # an hour and ends in CREATE_FAILED.
        Sid      = "Code"
        Effect   = "Allow"
        Action   = ["s3:GetObject*", "s3:GetBucket*", "s3:List*"]
        Resource = [aws_s3_bucket.this.arn, "${aws_s3_bucket.this.arn}/*"]
      },
      {
        Sid      = "KnowNoResource"
        Effect   = "Allow"
        Action   = ["s3:GetAccountPublicAccessBlock", "logs:DescribeLogGroups"]
        Resource = "*"
      },
      {
        Sid       = "Metrics"
        Effect    = "Allow"
        Action    = "cloudwatch:PutMetricData"
        Resource  = "*"
        Condition = { StringEquals = { "cloudwatch:namespace" = ["AmazonMWAA", "AWS/MWAA"] } }
      },
      {
        Sid    = "Log"
        Effect = "Allow"
        Action = [
          "logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents", "logs:GetLogEvents",
          "logs:GetLogRecord", "logs:GetLogGroupFields", "logs:GetQueryResults",
        ]
        Resource = "arn:${local.partition}:logs:${local.region}:${local.account_id}:log-group:airflow-${var.name}-*"
      },
      {
        # The queue between scheduler and workers lies in an account of MWAA's own.
        Sid    = "WorkerQueue"
        Effect = "Allow"
        Action = [
          "sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:GetQueueAttributes",
          "sqs:GetQueueUrl", "sqs:ReceiveMessage", "sqs:SendMessage",
        ]
        Resource = "arn:${local.partition}:sqs:${local.region}:*:airflow-celery-*"
      },
      {
        Sid      = "DataAtRest"
        Effect   = "Allow"
        Action   = ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*"]
        Resource = var.data_key_arn
        Condition = { StringEquals = { "kms:ViaService" = [
          for service in ["dynamodb", "s3", "secretsmanager", "sqs"] : "${service}.${local.region}.amazonaws.com"
        ] } }
      },
    ]
  })
}

resource "aws_iam_role_policy" "work" {
  name = "work"
  role = aws_iam_role.execution.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "Lake"
        Effect   = "Allow"
        Action   = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"]
        Resource = "${var.lake.bucket_arn}/${var.lake.object_prefix}*"
      },
      {
        # Without it S3 calls an absent object forbidden.
        Sid      = "ListLake"
        Effect   = "Allow"
        Action   = "s3:ListBucket"
        Resource = var.lake.bucket_arn
      },
      {
        Sid    = "State"
        Effect = "Allow"
        Action = ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem", "dynamodb:Query"]
        Resource = concat(
          values(var.table_arns), [for arn in values(var.table_arns) : "${arn}/index/*"]
        )
      },
      {
        Sid      = "QueueEvents"
        Effect   = "Allow"
        Action   = ["sqs:SendMessage", "sqs:GetQueueAttributes"]
        Resource = var.queue_arn
      },
      {
        Sid      = "Connection"
        Effect   = "Allow"
        Action   = "secretsmanager:GetSecretValue"
        Resource = var.secret_arn
      },
      {
        Sid      = "Tokens"
        Effect   = "Allow"
        Action   = ["kms:GenerateDataKey", "kms:Decrypt"]
        Resource = var.token_key_arn
        Condition = {
          StringEquals = { "kms:EncryptionContext:app" = "strava-data-ingest" }
          Null         = { "kms:EncryptionContext:athlete_id" = "false" }
        }
      },
      {
        Sid      = "Partitions"
        Effect   = "Allow"
        Action   = ["glue:GetTable", "glue:GetPartitions", "glue:BatchCreatePartition", "glue:BatchDeletePartition"]
        Resource = var.lake.catalog_arns
      },
      {
        Sid      = "Crawl"
        Effect   = "Allow"
        Action   = ["glue:StartCrawler", "glue:GetCrawler"]
        Resource = var.lake.crawler_arn
      },
    ]
  })
}

resource "aws_iam_role_policy" "mail" {
  count = var.mail_from == "" ? 0 : 1

  name = "mail"
  role = aws_iam_role.execution.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "SendMails"
      Effect    = "Allow"
      Action    = "ses:SendEmail"
      Resource  = "arn:${local.partition}:ses:*:${local.account_id}:identity/*"
      Condition = { StringEquals = { "ses:FromAddress" = var.mail_from } }
    }]
  })
}
