# A VPC of two private subnets with a NAT gateway for MWAA, or subnets that exist already.
# MWAA wants exactly two private subnets in two zones; its tasks call Strava, so they need a way out.

data "aws_availability_zones" "available" {
  # checkov:skip=CKV_AWS_394:the first two zones at creation; the subnets ignore what is added later
  state = "available"
}

data "aws_region" "current" {}

locals {
  is_created     = var.existing == null
  created        = local.is_created ? 1 : 0
  zones          = slice(data.aws_availability_zones.available.names, 0, 2)
  public_count   = local.is_created ? var.nat_gateway_count : 0
  private_count  = local.is_created ? 2 : 0
  vpc_id         = local.is_created ? aws_vpc.this[0].id : var.existing.vpc_id
  private_subnet = local.is_created ? aws_subnet.private[*].id : var.existing.private_subnet_ids
}

resource "aws_vpc" "this" {
  # checkov:skip=CKV2_AWS_11:flow logs would cost more than they tell: nothing listens here but MWAA, whose calls its own logs show
  count = local.created

  cidr_block           = var.cidr_block
  enable_dns_support   = true
  enable_dns_hostnames = true

  tags = { Name = var.name }
}

resource "aws_default_security_group" "this" {
  count = local.created

  vpc_id = aws_vpc.this[0].id
}

resource "aws_internet_gateway" "this" {
  count = local.created

  vpc_id = aws_vpc.this[0].id

  tags = { Name = var.name }
}

resource "aws_subnet" "public" {
  count = local.public_count

  vpc_id            = aws_vpc.this[0].id
  cidr_block        = cidrsubnet(var.cidr_block, 8, count.index)
  availability_zone = local.zones[count.index]

  tags = { Name = "${var.name}-public-${count.index}" }

  lifecycle {
    ignore_changes = [availability_zone] # a zone that AWS adds must not move MWAA, whose subnets cannot change
  }
}

resource "aws_subnet" "private" {
  count = local.private_count

  vpc_id            = aws_vpc.this[0].id
  cidr_block        = cidrsubnet(var.cidr_block, 8, 10 + count.index)
  availability_zone = local.zones[count.index]

  tags = { Name = "${var.name}-private-${count.index}" }

  lifecycle {
    ignore_changes = [availability_zone]
  }
}

resource "aws_eip" "nat" {
  # checkov:skip=CKV2_AWS_19:it is the address of a NAT gateway, which the check does not know
  count = local.public_count

  domain = "vpc"

  tags = { Name = "${var.name}-nat-${count.index}" }
}

resource "aws_nat_gateway" "this" {
  count = local.public_count

  allocation_id = aws_eip.nat[count.index].id
  subnet_id     = aws_subnet.public[count.index].id

  tags = { Name = "${var.name}-${count.index}" }

  depends_on = [aws_internet_gateway.this]
}

resource "aws_route_table" "public" {
  count = local.created

  vpc_id = aws_vpc.this[0].id

  tags = { Name = "${var.name}-public" }
}

resource "aws_route" "internet" {
  count = local.created

  route_table_id         = aws_route_table.public[0].id
  destination_cidr_block = "0.0.0.0/0"
  gateway_id             = aws_internet_gateway.this[0].id
}

resource "aws_route_table_association" "public" {
  count = local.public_count

  subnet_id      = aws_subnet.public[count.index].id
  route_table_id = aws_route_table.public[0].id
}

resource "aws_route_table" "private" {
  count = local.private_count

  vpc_id = aws_vpc.this[0].id

  tags = { Name = "${var.name}-private-${count.index}" }
}

resource "aws_route" "nat" {
  count = local.private_count

  route_table_id         = aws_route_table.private[count.index].id
  destination_cidr_block = "0.0.0.0/0"
  nat_gateway_id         = aws_nat_gateway.this[count.index % var.nat_gateway_count].id
}

resource "aws_route_table_association" "private" {
  count = local.private_count

  subnet_id      = aws_subnet.private[count.index].id
  route_table_id = aws_route_table.private[count.index].id
}

# Free of charge, and what goes through them does not pay for the NAT gateway.
resource "aws_vpc_endpoint" "gateway" {
  for_each = local.is_created ? toset(["s3", "dynamodb"]) : toset([])

  vpc_id            = aws_vpc.this[0].id
  service_name      = "com.amazonaws.${data.aws_region.current.name}.${each.key}"
  vpc_endpoint_type = "Gateway"
  route_table_ids   = aws_route_table.private[*].id

  tags = { Name = "${var.name}-${each.key}" }
}

# MWAA's parts talk to one another: without the rule that names the group itself the environment never comes up.
resource "aws_security_group" "mwaa" {
  # checkov:skip=CKV2_AWS_5:it is attached to the MWAA environment in another module
  name        = "${var.name}-mwaa"
  description = "MWAA: its own parts among themselves, and everything outward"
  vpc_id      = local.vpc_id

  tags = { Name = "${var.name}-mwaa" }
}

resource "aws_vpc_security_group_ingress_rule" "self" {
  security_group_id            = aws_security_group.mwaa.id
  description                  = "MWAA's own parts among themselves"
  ip_protocol                  = "-1"
  referenced_security_group_id = aws_security_group.mwaa.id
}

resource "aws_vpc_security_group_egress_rule" "all" {
  security_group_id = aws_security_group.mwaa.id
  description       = "Strava, the package index and AWS, all by TLS"
  ip_protocol       = "-1"
  cidr_ipv4         = "0.0.0.0/0"
}
