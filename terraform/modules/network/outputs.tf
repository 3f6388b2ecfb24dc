output "vpc_id" {
  description = "The VPC in use, created or given."
  value       = local.vpc_id
}

output "private_subnet_ids" {
  description = "The two private subnets of MWAA."
  value       = local.private_subnet
}

output "security_group_id" {
  description = "The security group of MWAA."
  value       = aws_security_group.mwaa.id
}

output "routes_ready" {
  description = "Depends on the way out, which MWAA needs for its first start."
  value       = [for route in aws_route.nat : route.id]
}
