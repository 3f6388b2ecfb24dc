output "vpc_id" {
  description = "The VPC in use, created or given."
  value       = local.vpc_id
}

output "private_subnet_ids" {
  description = "The two private subnets of MWAA."
  value       = local.private_subnet

  # MWAA's first start installs packages from the internet. On the whole module MWAA must not depend: a change in it
  # would put off MWAA's data sources, and names made of them would be unknown and replace what they name.
  depends_on = [aws_route.nat, aws_route.internet, aws_route_table_association.private, aws_route_table_association.public]
}

output "security_group_id" {
  description = "The security group of MWAA."
  value       = aws_security_group.mwaa.id

  depends_on = [aws_vpc_security_group_ingress_rule.self, aws_vpc_security_group_egress_rule.all]
}
