output "table_prefix" {
  description = "What the names of the tables start with."
  value       = "${var.name}-"
}

output "table_arns" {
  description = "The tables' ARNs by the code's names."
  value       = { for name, table in aws_dynamodb_table.this : name => table.arn }
}

output "state_url" {
  description = "STATE_URL."
  value       = "dynamodb://${var.name}-"
}

output "key_url" {
  description = "KEY_URL."
  value       = "kms://${aws_kms_alias.token.name}"
}

output "data_key_arn" {
  description = "The key of everything at rest but athletes' tokens."
  value       = aws_kms_key.data.arn
}

output "token_key_arn" {
  description = "The key of athletes' tokens."
  value       = aws_kms_key.token.arn
}

output "secret_arn" {
  description = "The secret whose value is put there by hand."
  value       = aws_secretsmanager_secret.strava_api.arn
}

output "secret_name" {
  description = "The secret's name."
  value       = aws_secretsmanager_secret.strava_api.name
}
