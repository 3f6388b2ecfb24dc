# One role for the crawler; one policy to attach to analysts.

locals {
  catalog_arns = [
    "arn:${local.partition}:glue:${local.region}:${local.account_id}:catalog",
    aws_glue_catalog_database.this.arn,
    "arn:${local.partition}:glue:${local.region}:${local.account_id}:table/${local.database}/*",
  ]
  log_groups = "arn:${local.partition}:logs:${local.region}:${local.account_id}:log-group:"
  key_by_s3 = {
    Effect    = "Allow"
    Action    = ["kms:Decrypt", "kms:GenerateDataKey"]
    Resource  = var.data_key_arn
    Condition = { StringEquals = { "kms:ViaService" = "s3.${local.region}.amazonaws.com" } }
  }
}

resource "aws_iam_role" "crawler" {
  name = local.crawler

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "glue.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "aws:SourceAccount" = local.account_id } }
    }]
  })
}

resource "aws_iam_role_policy" "crawler" {
  name = "crawl"
  role = aws_iam_role.crawler.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "ReadTables"
        Effect   = "Allow"
        Action   = "s3:GetObject"
        Resource = [for name in keys(local.tables) : "${aws_s3_bucket.lake.arn}/${local.prefix}/${name}/*"]
      },
      {
        Sid      = "ListTables"
        Effect   = "Allow"
        Action   = ["s3:ListBucket", "s3:GetBucketLocation"]
        Resource = aws_s3_bucket.lake.arn
      },
      {
        Sid    = "AddPartitions"
        Effect = "Allow"
        Action = [
          "glue:GetDatabase", "glue:GetTable", "glue:GetTables",
          "glue:GetPartition", "glue:GetPartitions", "glue:BatchGetPartition",
          "glue:BatchCreatePartition", "glue:CreatePartition", "glue:UpdatePartition",
        ]
        Resource = local.catalog_arns
      },
      {
        Sid      = "Log"
        Effect   = "Allow"
        Action   = ["logs:AssociateKmsKey", "logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"]
        Resource = "${local.log_groups}/aws-glue/crawlers-role/${local.crawler}-*"
      },
      local.key_by_s3,
    ]
  })
}

# As Athena's guide has it, for API and console.
resource "aws_iam_policy" "analyst" {
  # checkov:skip=CKV_AWS_355:the three lists know no resource: see tests/terraform/test_policies.py
  name        = "${var.name}-analyst"
  description = "Ask the lake of ${var.name} with Athena, in its workgroup, and read nothing else"

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid    = "AskInWorkgroup"
        Effect = "Allow"
        Action = [
          "athena:GetWorkGroup", "athena:StartQueryExecution", "athena:StopQueryExecution",
          "athena:GetQueryExecution", "athena:BatchGetQueryExecution", "athena:ListQueryExecutions",
          "athena:GetQueryResults", "athena:GetQueryResultsStream", "athena:GetQueryRuntimeStatistics",
          "athena:GetNamedQuery", "athena:BatchGetNamedQuery", "athena:ListNamedQueries",
        ]
        Resource = aws_athena_workgroup.this.arn
      },
      {
        Sid      = "ListForConsole"
        Effect   = "Allow"
        Action   = ["athena:ListDataCatalogs", "athena:ListEngineVersions", "athena:ListWorkGroups"]
        Resource = "*"
      },
      {
        Sid    = "BrowseCatalogue"
        Effect = "Allow"
        Action = [
          "athena:GetDataCatalog", "athena:GetDatabase", "athena:GetTableMetadata",
          "athena:ListDatabases", "athena:ListTableMetadata",
        ]
        Resource = "arn:${local.partition}:athena:${local.region}:${local.account_id}:datacatalog/AwsDataCatalog"
      },
      {
        # Athena asks for the database default first, whatever a query names.
        Sid    = "FindDatabases"
        Effect = "Allow"
        Action = ["glue:GetDatabase", "glue:GetDatabases"]
        Resource = [
          "arn:${local.partition}:glue:${local.region}:${local.account_id}:catalog",
          "arn:${local.partition}:glue:${local.region}:${local.account_id}:database/default",
          aws_glue_catalog_database.this.arn,
        ]
      },
      {
        Sid      = "ReadCatalogue"
        Effect   = "Allow"
        Action   = ["glue:GetTable", "glue:GetTables", "glue:GetPartition", "glue:GetPartitions", "glue:BatchGetPartition"]
        Resource = local.catalog_arns
      },
      {
        Sid      = "ReadTables"
        Effect   = "Allow"
        Action   = "s3:GetObject"
        Resource = [for name in keys(local.tables) : "${aws_s3_bucket.lake.arn}/${local.prefix}/${name}/*"]
      },
      {
        Sid      = "Answers"
        Effect   = "Allow"
        Action   = ["s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"]
        Resource = "${aws_s3_bucket.results.arn}/answers/*"
      },
      {
        Sid      = "ListBuckets"
        Effect   = "Allow"
        Action   = ["s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"]
        Resource = [aws_s3_bucket.lake.arn, aws_s3_bucket.results.arn]
      },
      local.key_by_s3,
    ]
  })
}
