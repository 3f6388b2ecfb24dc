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

variable "operator" {
  description = "Who runs this service and where athletes reach them, as every page says it: contact is a mail address or a page. Without privacy_url the service's own page /privacy is the statement on data protection."
  type        = object({ name = string, contact = string, privacy_url = optional(string, "") })

  validation {
    condition     = length(trimspace(var.operator.name)) > 0 && can(regex("^([^@[:space:]]+@[^@[:space:]]+|https://[^[:space:]]+)$", var.operator.contact))
    error_message = "Give a name, and a mail address or an https address."
  }
}

variable "mail_url" {
  description = "What sends mails, from the operator's contact: ses://<region>, smtps://<user>@<host>:465 with its password in the secret, or empty for no mails."
  type        = string
  default     = ""

  validation {
    condition     = can(regex("^(|ses://[a-z0-9-]+|smtps://[^:@/[:space:]]+@[A-Za-z0-9.-]+:[0-9]+)$", var.mail_url))
    error_message = "Give ses://<region> or smtps://<user>@<host>:<port>, without a password: that is MAIL_PASSWORD in the secret."
  }
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
