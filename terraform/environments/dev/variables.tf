variable "region" {
  description = "The AWS region, for example eu-central-1."
  type        = string

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "Give a region, for example eu-central-1."
  }
}

variable "retention_days" {
  description = "After how many days what came from Strava's API is deleted, or keep. Strava's terms say 7: the owner decides."
  type        = string
}

variable "alarm_emails" {
  description = "Who is told of alarms."
  type        = set(string)
  default     = []
}

variable "domain" {
  description = "A domain of one's own: with the zone of Route 53 that it lies in, or with a certificate that exists; the API's own address where null."
  type        = object({ name = string, zone_id = optional(string), certificate_arn = optional(string) })
  default     = null
}

variable "secret_prefix" {
  description = "Where the secret lies; another one lets two environments share an account."
  type        = string
  default     = "airflow/connections"
}

variable "existing_network" {
  description = "A VPC to use instead of a new one."
  type        = object({ vpc_id = string, private_subnet_ids = list(string) })
  default     = null
}

variable "dist" {
  description = "The folder that `make package` fills."
  type        = string
  default     = "../../../dist"
}
