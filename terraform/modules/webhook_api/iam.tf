# What each function may do, and no more.

locals {
  assume_by_lambda = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "lambda.amazonaws.com" }
      Action    = "sts:AssumeRole"
    }]
  })
}

resource "aws_iam_role" "http" {
  name               = "${var.name}-http"
  assume_role_policy = local.assume_by_lambda
}

resource "aws_iam_role_policy" "http" {
  name = "answer"
  role = aws_iam_role.http.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "Log"
        Effect   = "Allow"
        Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
        Resource = "${aws_cloudwatch_log_group.http.arn}:*"
      },
      {
        Sid    = "State"
        Effect = "Allow"
        Action = [
          "dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem", "dynamodb:Query"
        ]
        Resource = concat(
          values(var.table_arns), [for arn in values(var.table_arns) : "${arn}/index/*"]
        )
      },
      {
        Sid      = "QueueEvents"
        Effect   = "Allow"
        Action   = ["sqs:SendMessage", "sqs:GetQueueAttributes"]
        Resource = aws_sqs_queue.events.arn
      },
      {
        Sid      = "Secrets"
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
        Sid      = "DataAtRest"
        Effect   = "Allow"
        Action   = ["kms:Encrypt", "kms:Decrypt", "kms:GenerateDataKey", "kms:DescribeKey"]
        Resource = var.data_key_arn
        Condition = { StringEquals = { "kms:ViaService" = [
          for service in ["dynamodb", "secretsmanager", "sqs"] : "${service}.${local.region}.amazonaws.com"
        ] } }
      },
    ]
  })
}

resource "aws_iam_role" "dispatcher" {
  name               = "${var.name}-dispatcher"
  assume_role_policy = local.assume_by_lambda
}

resource "aws_iam_role_policy" "dispatcher" {
  name = "dispatch"
  role = aws_iam_role.dispatcher.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "Log"
        Effect   = "Allow"
        Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
        Resource = "${aws_cloudwatch_log_group.dispatcher.arn}:*"
      },
      {
        Sid    = "TakeEvents"
        Effect = "Allow"
        Action = [
          "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility", "sqs:GetQueueAttributes",
        ]
        Resource = aws_sqs_queue.events.arn
      },
      {
        Sid      = "Bury"
        Effect   = "Allow"
        Action   = "sqs:SendMessage"
        Resource = aws_sqs_queue.dead_letters.arn
      },
      {
        Sid      = "StartRuns"
        Effect   = "Allow"
        Action   = "airflow:InvokeRestApi"
        Resource = "${local.airflow}:role/${var.airflow_environment}/User"
      },
      {
        Sid      = "MakeDue"
        Effect   = "Allow"
        Action   = ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:DeleteItem"]
        Resource = var.table_arns["activities"]
      },
      {
        Sid      = "AskErasures"
        Effect   = "Allow"
        Action   = ["dynamodb:GetItem", "dynamodb:PutItem"]
        Resource = var.table_arns["erasures"]
      },
      {
        Sid      = "SeeOutages"
        Effect   = "Allow"
        Action   = ["dynamodb:GetItem"]
        Resource = var.table_arns["outages"]
      },
      {
        Sid      = "DataAtRest"
        Effect   = "Allow"
        Action   = ["kms:Encrypt", "kms:Decrypt", "kms:GenerateDataKey", "kms:DescribeKey"]
        Resource = var.data_key_arn
        Condition = { StringEquals = { "kms:ViaService" = [
          for service in ["dynamodb", "sqs"] : "${service}.${local.region}.amazonaws.com"
        ] } }
      },
    ]
  })
}

resource "aws_iam_role_policy" "mail" {
  count = var.mail_from == "" ? 0 : 1

  name = "mail"
  role = aws_iam_role.http.id

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
