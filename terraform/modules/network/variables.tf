variable "name" {
  description = "What the names of all resources start with, for example strava-dev."
  type        = string
}

variable "cidr_block" {
  description = "Addresses of the VPC that is created: a /16, of which four /24 are used."
  type        = string
  default     = "10.42.0.0/16"

  validation {
    condition     = can(cidrnetmask(var.cidr_block)) && try(tonumber(split("/", var.cidr_block)[1]) == 16, false)
    error_message = "Give an IPv4 range of size /16, for example 10.42.0.0/16."
  }
}

variable "nat_gateway_count" {
  description = "1 saves money; 2 keeps Strava in reach while one availability zone is down."
  type        = number
  default     = 1

  validation {
    condition     = contains([1, 2], var.nat_gateway_count)
    error_message = "There is one NAT gateway, or one in each of the two zones: 1 or 2."
  }
}

variable "existing" {
  description = "A VPC to use instead of a new one: two private subnets in two zones with a route out through NAT."
  type = object({
    vpc_id             = string
    private_subnet_ids = list(string)
  })
  default = null

  validation {
    condition     = var.existing == null || try(length(distinct(var.existing.private_subnet_ids)) == 2, false)
    error_message = "MWAA takes exactly two subnets, in two availability zones."
  }
}
