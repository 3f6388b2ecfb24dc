output "bucket" {
  description = "Where the environments' states lie: `terraform init -backend-config=bucket=…`."
  value       = aws_s3_bucket.state.bucket
}
