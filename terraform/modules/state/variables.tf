variable "name" {
  description = "What the names of all resources start with, for example strava-dev."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{2,24}$", var.name))
    error_message = "Give 3 to 25 small letters, digits and hyphens, a letter first, for example strava-dev."
  }
}

variable "is_protected" {
  description = "Whether tables refuse to be deleted and the secret can be restored for 30 days after its deletion."
  type        = bool
  default     = true
}

variable "recovery_days" {
  description = "How far back point-in-time recovery reaches; an erasure is complete only after that."
  type        = number
  default     = 7

  validation {
    condition     = var.recovery_days >= 1 && var.recovery_days <= 35 && floor(var.recovery_days) == var.recovery_days
    error_message = "DynamoDB keeps 1 to 35 days."
  }
}

variable "key_deletion_window_days" {
  description = "How long a deleted key can be restored; what it encrypted is lost after that."
  type        = number
  default     = 30

  validation {
    condition     = var.key_deletion_window_days >= 7 && var.key_deletion_window_days <= 30
    error_message = "KMS waits 7 to 30 days."
  }
}

variable "secret_prefix" {
  description = "Where Airflow's secrets backend looks for Connections; another one lets two environments share an account."
  type        = string
  default     = "airflow/connections"

  validation {
    condition     = can(regex("^[A-Za-z0-9_/-]*[A-Za-z0-9_-]$", var.secret_prefix))
    error_message = "Give a path without a slash at its end, for example airflow/connections."
  }
}
