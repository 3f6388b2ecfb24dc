output "bucket_name" {
  description = "The lake's bucket."
  value       = aws_s3_bucket.lake.bucket
}

output "bucket_arn" {
  description = "The lake's bucket."
  value       = aws_s3_bucket.lake.arn
}

output "lake_url" {
  description = "LAKE_URL."
  value       = "s3://${aws_s3_bucket.lake.bucket}/${local.prefix}"
}

output "object_prefix" {
  description = "What the keys of all objects start with."
  value       = "${local.prefix}/"
}

output "catalog_url" {
  description = "CATALOG_URL."
  value       = "glue://${aws_glue_catalog_database.this.name}/${aws_glue_crawler.this.name}"
}

output "catalog_arns" {
  description = "The catalogue, the database and its tables, as policies name them."
  value       = local.catalog_arns
}

output "crawler_name" {
  description = "The crawler's name."
  value       = aws_glue_crawler.this.name
}

output "crawler_arn" {
  description = "The crawler's ARN."
  value       = aws_glue_crawler.this.arn
}

output "workgroup_name" {
  description = "The workgroup in which analysts ask."
  value       = aws_athena_workgroup.this.name
}

output "analyst_policy_arn" {
  description = "Attach it to whoever may ask the lake."
  value       = aws_iam_policy.analyst.arn
}
