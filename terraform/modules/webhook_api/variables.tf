variable "name" {
  description = "What the names of all resources start with, for example strava-dev."
  type        = string
}

variable "settings" {
  description = "Settings of the code that are no secrets: STATE_URL, LAKE_URL, KEY_URL, CATALOG_URL and the like."
  type        = map(string)

  validation {
    condition     = length([for name in keys(var.settings) : name if can(regex("SECRET|TOKEN|PASSWORD|COOKIE|SIGNING", name))]) == 0
    error_message = "Secrets belong into Secrets Manager, not among the settings."
  }
}

variable "privacy_url" {
  description = "The operator's statement on data protection; empty for the pages' own."
  type        = string
  default     = ""
}

variable "mail_from" {
  description = "The address from which SES may send mails; empty where it sends none."
  type        = string
  default     = ""
}

variable "domain" {
  description = "A domain of one's own: with the zone of Route 53 that it lies in, or with a certificate that exists; the API's own address where null."
  type        = object({ name = string, zone_id = optional(string), certificate_arn = optional(string) })
  default     = null

  validation {
    condition     = var.domain == null || can(regex("^[a-z0-9-]+([.][a-z0-9-]+)+$", var.domain.name))
    error_message = "Give a name without a scheme or path, for example ingest.example.org."
  }

  validation {
    condition     = var.domain == null || (try(var.domain.zone_id, null) == null) != (try(var.domain.certificate_arn, null) == null)
    error_message = "Give zone_id, in which Terraform then makes certificate and records, or certificate_arn of a certificate in this region; not both."
  }
}

variable "airflow_environment" {
  description = "The MWAA environment in which runs are started."
  type        = string
}

variable "http" {
  description = "The function that answers: its artefact by path and hash (base64 of SHA-256), and its size."
  type = object({
    zip_path             = string
    zip_hash             = string
    memory_mb            = optional(number, 1024)
    timeout_s            = optional(number, 15)
    reserved_concurrency = optional(number)
  })

  validation {
    condition     = var.http.memory_mb >= 256 && var.http.memory_mb <= 10240
    error_message = "Give 256 to 10240 MB; the processor's share grows with it, and so the cold start shrinks."
  }

  validation {
    condition     = var.http.timeout_s >= 10 && var.http.timeout_s <= 29
    error_message = "Give 10 to 29 s: a page takes up to 8 s, and the HTTP API waits no longer than 29."
  }
}

variable "dispatcher" {
  description = "The function that starts runs: its artefact, its size, and how it takes events from the queue."
  type = object({
    zip_path             = string
    zip_hash             = string
    memory_mb            = optional(number, 512)
    timeout_s            = optional(number, 50)
    reserved_concurrency = optional(number)
    batch_size           = optional(number, 100)
    batch_window_s       = optional(number, 1)
  })

  validation {
    condition     = var.dispatcher.timeout_s >= 30 && var.dispatcher.timeout_s <= 900
    error_message = "Give 30 to 900 s: MWAA takes up to 11 s for one call, and a batch may need some."
  }

  validation {
    condition     = var.dispatcher.batch_size >= 1 && var.dispatcher.batch_size <= 100
    error_message = "A run takes 1 to 100 events."
  }

  validation {
    condition     = var.dispatcher.batch_window_s >= 0 && var.dispatcher.batch_window_s <= 30 && (var.dispatcher.batch_size <= 10 || var.dispatcher.batch_window_s >= 1)
    error_message = "Give 0 to 30 s; batches of more than 10 need at least 1 s."
  }
}

variable "max_receive_count" {
  description = "How often an event is tried before the queue gives it up to the dead letters."
  type        = number
  default     = 20

  validation {
    condition     = var.max_receive_count >= 20 && var.max_receive_count <= 1000
    error_message = "Give 20 to 1000: after 16 tries an event is left to the ledger, and should be no dead letter before."
  }
}

variable "message_days" {
  description = "How long an event may wait in the queue, and once more among the dead letters; an erasure is complete only after both."
  type        = number
  default     = 14 # the most; longer than any update of MWAA, or a DAG that was left paused

  validation {
    condition     = var.message_days >= 1 && var.message_days <= 14 && floor(var.message_days) == var.message_days
    error_message = "SQS keeps messages 14 days at most; give whole days."
  }
}

variable "throttle" {
  description = "What the pages take; more is answered 429."
  type        = object({ burst = number, per_second = number })
  default     = { burst = 40, per_second = 20 }
}

variable "webhook_throttle" {
  description = "What the webhook takes; Strava sends again what is answered 429."
  type        = object({ burst = number, per_second = number })
  default     = { burst = 200, per_second = 100 }
}

variable "table_arns" {
  description = "The tables' ARNs by name."
  type        = map(string)
}

variable "data_key_arn" {
  description = "The key of queues, logs and tables."
  type        = string
}

variable "token_key_arn" {
  description = "The key of athletes' tokens."
  type        = string
}

variable "secret_arn" {
  description = "The secret that the function reads."
  type        = string
}

variable "secret_name" {
  description = "The secret's name, which the function is told."
  type        = string
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
