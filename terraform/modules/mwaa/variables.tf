variable "name" {
  description = "What the names of all resources start with, and the environment's own name, for example strava-dev."
  type        = string
}

variable "environment_class" {
  description = "Size of scheduler, workers and web servers. mw1.micro has one of each; see docs/cost.md."
  type        = string
  default     = "mw1.small"

  validation {
    condition     = contains(["mw1.micro", "mw1.small", "mw1.medium", "mw1.large", "mw1.xlarge", "mw1.2xlarge"], var.environment_class)
    error_message = "Give mw1.micro, mw1.small, mw1.medium, mw1.large, mw1.xlarge or mw1.2xlarge."
  }
}

variable "workers" {
  description = "How many workers there are at least and at most."
  type        = object({ min = number, max = number })
  default     = { min = 1, max = 2 }

  validation {
    condition     = var.workers.min >= 1 && var.workers.max <= 25 && var.workers.min <= var.workers.max
    error_message = "Give 1 to 25 workers, the minimum not above the maximum."
  }
}

variable "log_levels" {
  description = "What each part writes to CloudWatch."
  type = object({
    dag_processing = optional(string, "WARNING")
    scheduler      = optional(string, "WARNING")
    task           = optional(string, "INFO")
    webserver      = optional(string, "WARNING")
    worker         = optional(string, "WARNING")
  })
  default = {}

  validation {
    condition     = alltrue([for level in values(var.log_levels) : contains(["CRITICAL", "ERROR", "WARNING", "INFO"], level)])
    error_message = "Give CRITICAL, ERROR, WARNING, INFO; DEBUG slows the parsing of DAGs until they vanish."
  }

  validation {
    condition     = var.log_levels.task == "INFO"
    error_message = "Tasks log at INFO: the alarms on spent quota and refused tokens read that log."
  }
}

variable "maintenance_window_start" {
  description = "When MWAA may restart the environment each week, in UTC."
  type        = string
  default     = "MON:03:00"

  validation {
    condition     = can(regex("^(MON|TUE|WED|THU|FRI|SAT|SUN):([01][0-9]|2[0-3]):(00|30)$", var.maintenance_window_start))
    error_message = "Give a weekday and a full or half hour, for example MON:03:00."
  }
}

variable "private_subnet_ids" {
  description = "Two private subnets in two zones with a way out."
  type        = list(string)

  validation {
    condition     = length(var.private_subnet_ids) == 2
    error_message = "MWAA takes exactly two subnets."
  }
}

variable "security_group_id" {
  description = "A security group whose members may talk to one another."
  type        = string
}

variable "plugins" {
  description = "plugins.zip by path and hash."
  type        = object({ path = string, hash = string })
}

variable "requirements" {
  description = "requirements.txt by path and hash."
  type        = object({ path = string, hash = string })
}

variable "constraints" {
  description = "The constraints that requirements.txt names, by path and hash."
  type        = object({ path = string, hash = string })
}

variable "mail_from" {
  description = "The address from which SES may send mails; empty where it sends none."
  type        = string
  default     = ""
}

variable "settings" {
  description = "Settings of the code that are no secrets, for the startup script."
  type        = map(string)

  validation {
    condition     = alltrue([for value in values(var.settings) : !can(regex("\\n", value))])
    error_message = "A setting holds a line break, which the startup script cannot carry."
  }

  validation {
    condition     = length([for name in keys(var.settings) : name if can(regex("SECRET|TOKEN|PASSWORD|COOKIE|SIGNING", name))]) == 0
    error_message = "Secrets belong into Secrets Manager, not into the startup script."
  }
}

variable "connections_prefix" {
  description = "Where the secrets backend looks for Connections."
  type        = string
  default     = "airflow/connections"
}

variable "data_key_arn" {
  description = "The key of bucket, logs and environment; MWAA wants the same for all."
  type        = string
}

variable "token_key_arn" {
  description = "The key of athletes' tokens."
  type        = string
}

variable "secret_arn" {
  description = "The secret that is Airflow's Connection strava_api."
  type        = string
}

variable "table_arns" {
  description = "The tables' ARNs by name."
  type        = map(string)
}

variable "queue_arn" {
  description = "The queue of events, to which reconcile adds."
  type        = string
}

variable "lake" {
  description = "The lake's bucket, the prefix of its objects, its catalogue and its crawler."
  type = object({
    bucket_arn    = string
    object_prefix = string
    catalog_arns  = list(string)
    crawler_arn   = string
  })
}

variable "log_retention_days" {
  description = "How long logs stay; an erasure is complete only after that."
  type        = number
  default     = 30

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30], var.log_retention_days)
    error_message = "CloudWatch offers 1, 3, 5, 7, 14 and 30 days; an erasure should not wait longer."
  }
}
