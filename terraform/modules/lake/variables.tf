variable "name" {
  description = "What the names of all resources start with, for example strava-dev."
  type        = string
}

variable "is_protected" {
  description = "Whether the lake's bucket refuses to be destroyed while objects are in it."
  type        = bool
  default     = true
}

variable "data_key_arn" {
  description = "The key that encrypts the buckets."
  type        = string
}

variable "retention_days" {
  description = "After how many days what came from Strava's API is deleted, or keep. Strava's terms say 7: the owner decides."
  type        = string

  validation {
    condition     = can(regex("^(keep|[1-9][0-9]{0,4})$", var.retention_days))
    error_message = "Give a number of days, or keep to keep everything."
  }
}

variable "noncurrent_days" {
  description = "How long old versions of objects stay; an erasure is complete only after that."
  type        = number
  default     = 7

  validation {
    condition     = var.noncurrent_days >= 1 && var.noncurrent_days <= 30
    error_message = "Keep old versions 1 to 30 days: an erasure has to come to an end."
  }
}

variable "answers_days" {
  description = "How long answers of queries stay; an erasure is complete only after that."
  type        = number
  default     = 7

  validation {
    condition     = var.answers_days >= 1 && var.answers_days <= 30 && floor(var.answers_days) == var.answers_days
    error_message = "Keep answers 1 to 30 days: an erasure has to come to an end."
  }
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

variable "scan_limit_gb" {
  description = "How much one query of an analyst may read."
  type        = number
  default     = 10

  validation {
    condition     = var.scan_limit_gb >= 1 && var.scan_limit_gb <= 1000
    error_message = "Give 1 to 1000 GB; Athena charges by what is read."
  }
}
