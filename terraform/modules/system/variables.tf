variable "name" {
  description = "What the names of all resources start with, for example strava-dev."
  type        = string
}

variable "dist" {
  description = "The folder that `make package` fills."
  type        = string
}

variable "is_protected" {
  description = "Whether tables, lake and secret survive a mistaken destroy."
  type        = bool
}

variable "retention_days" {
  description = "After how many days what came from Strava's API is deleted, or keep. Strava's terms say 7: the owner decides."
  type        = string
}

variable "monthly_budget_usd" {
  description = "What the whole account may cost in a month."
  type        = number
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

variable "strava_settings" {
  description = "Settings of the code that differ from its defaults, for example STRAVA_REVOKE."
  type        = map(string)
  default     = {}
}

variable "secret_prefix" {
  description = "Where the secret lies; another one lets two environments share an account."
  type        = string
  default     = "airflow/connections"
}

variable "network" {
  description = "The VPC to create, or the one to use."
  type = object({
    cidr_block        = optional(string, "10.42.0.0/16")
    nat_gateway_count = optional(number, 1)
    existing          = optional(object({ vpc_id = string, private_subnet_ids = list(string) }))
  })
  default = {}
}

variable "airflow" {
  description = "The size of MWAA and what it logs."
  type = object({
    environment_class = optional(string, "mw1.small")
    workers           = optional(object({ min = number, max = number }), { min = 1, max = 2 })
    log_levels        = optional(map(string), {})
  })
  default = {}
}

variable "http" {
  description = "The size of the function that answers."
  type = object({
    memory_mb            = optional(number, 1024)
    timeout_s            = optional(number, 15)
    reserved_concurrency = optional(number)
  })
  default = {}
}

variable "dispatcher" {
  description = "The size of the function that starts runs, and how it takes events."
  type = object({
    memory_mb            = optional(number, 512)
    timeout_s            = optional(number, 50)
    reserved_concurrency = optional(number)
    batch_size           = optional(number, 100)
    batch_window_s       = optional(number, 1)
  })
  default = {}
}

variable "recovery_days" {
  description = "How far back point-in-time recovery reaches."
  type        = number
  default     = 7
}

variable "noncurrent_days" {
  description = "How long old versions of the lake's objects stay."
  type        = number
  default     = 7
}

variable "log_retention_days" {
  description = "How long logs stay."
  type        = number
  default     = 30
}

variable "message_days" {
  description = "How long an event may wait in the queue, and once more among the dead letters."
  type        = number
  default     = 14
}

variable "run_days" {
  description = "How long Airflow keeps a run after its end; an erasure is complete only after that."
  type        = number
  default     = 30

  validation {
    condition     = var.run_days > 2 * var.message_days && floor(var.run_days) == var.run_days
    error_message = "Keep runs longer than an event may wait, in the queue and as a dead letter: one that comes again finds its run by the run's id."
  }
}

variable "crawl_every_h" {
  description = "At most so often the crawler runs; one crawl costs 0.15 $ at least, see docs/cost.md."
  type        = number
  default     = 24

  validation {
    condition     = var.crawl_every_h >= 1 && var.crawl_every_h <= 9999 && floor(var.crawl_every_h) == var.crawl_every_h
    error_message = "Give 1 to 9999 whole hours."
  }
}

variable "answers_days" {
  description = "How long answers of queries stay."
  type        = number
  default     = 7
}

variable "scan_limit_gb" {
  description = "How much one query of an analyst may read."
  type        = number
  default     = 10
}
