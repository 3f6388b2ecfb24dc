mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  name = "strava-test"
}

run "by_default" {
  command = apply
  module { source = "./modules/network" }

  # creates two private subnets and one way out by default
  assert {
    condition     = length(aws_subnet.private) == 2 && length(distinct(aws_subnet.private[*].availability_zone)) == 2
    error_message = "MWAA needs two private subnets in two zones."
  }
  assert {
    condition     = length(aws_nat_gateway.this) == 1 && length(aws_route.nat) == 2
    error_message = "Both private subnets go out through the one NAT gateway."
  }
  assert {
    condition     = alltrue([for subnet in aws_subnet.public : subnet.map_public_ip_on_launch != true])
    error_message = "No machine gets a public address by itself."
  }
  assert {
    condition     = keys(aws_vpc_endpoint.gateway) == ["dynamodb", "s3"]
    error_message = "S3 and DynamoDB are reached past the NAT gateway."
  }
  # lets the members of its group talk to one another
  assert {
    condition     = aws_vpc_security_group_ingress_rule.self.referenced_security_group_id == aws_security_group.mwaa.id && aws_vpc_security_group_ingress_rule.self.ip_protocol == "-1"
    error_message = "Without that rule the environment never comes up."
  }
}

run "puts_a_nat_gateway_into_each_zone_when_asked" {
  command = plan
  module { source = "./modules/network" }
  variables {
    nat_gateway_count = 2
  }

  assert {
    condition     = length(aws_nat_gateway.this) == 2 && length(distinct(aws_subnet.public[*].availability_zone)) == 2
    error_message = "Two gateways in two zones."
  }
}

run "creates_no_network_where_one_is_given" {
  command = plan
  module { source = "./modules/network" }
  variables {
    existing = { vpc_id = "vpc-0123456789abcdef0", private_subnet_ids = ["subnet-0a", "subnet-0b"] }
  }

  assert {
    condition     = length(aws_vpc.this) + length(aws_subnet.private) + length(aws_nat_gateway.this) + length(aws_vpc_endpoint.gateway) == 0
    error_message = "Only the security group is created."
  }
  assert {
    condition     = output.private_subnet_ids == tolist(["subnet-0a", "subnet-0b"]) && aws_security_group.mwaa.vpc_id == "vpc-0123456789abcdef0"
    error_message = "The given network is the one in use."
  }
}

run "refuses" {
  command = plan
  module { source = "./modules/network" }
  variables {
    # refuses one subnet
    existing = { vpc_id = "vpc-0123456789abcdef0", private_subnet_ids = ["subnet-0a", "subnet-0a"] }
    # refuses three nat gateways
    nat_gateway_count = 3
    # refuses a range that is too small
    cidr_block = "10.0.0.0/24"
  }

  expect_failures = [var.existing, var.nat_gateway_count, var.cidr_block]
}
