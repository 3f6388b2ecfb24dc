variable "name" {
  description = "What the names of all resources start with, for example strava-dev."
  type        = string
}

variable "alarm_emails" {
  description = "Who is told; each address gets a mail that asks for confirmation first."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for address in var.alarm_emails : can(regex("^[^@ ]+@[^@ ]+$", address))])
    error_message = "Give mail addresses."
  }
}

variable "monthly_budget_usd" {
  description = "What the whole account may cost in a month; a mail at 80 %, and when more than all of it is foreseen."
  type        = number

  validation {
    condition     = var.monthly_budget_usd > 0
    error_message = "Give an amount above 0."
  }
}

variable "oldest_event_s" {
  description = "How long an event may wait for its run."
  type        = number
  default     = 900

  validation {
    condition     = var.oldest_event_s >= 60 && var.oldest_event_s <= 86400
    error_message = "Give 60 s to a day."
  }
}

variable "webhook_p99_ms" {
  description = "The 99th percentile of the webhook's answers; Strava waits two seconds."
  type        = number
  default     = 1500

  validation {
    condition     = var.webhook_p99_ms >= 50 && var.webhook_p99_ms <= 2000
    error_message = "Give 50 to 2000 ms: Strava waits no longer."
  }
}

variable "data_key_arn" {
  description = "The key of the topic."
  type        = string
}

variable "environment_name" {
  description = "The MWAA environment."
  type        = string
}

variable "task_log_group_name" {
  description = "Where tasks log."
  type        = string
}

variable "access_log_group_name" {
  description = "Where the API logs its answers."
  type        = string
}

variable "queue_name" {
  description = "The queue of events."
  type        = string
}

variable "dead_letters_name" {
  description = "The dead-letter queue."
  type        = string
}

variable "api_id" {
  description = "The HTTP API."
  type        = string
}

variable "http_function_name" {
  description = "The function that answers."
  type        = string
}

variable "dispatcher_function_name" {
  description = "The function that starts runs."
  type        = string
}

variable "crawler_name" {
  description = "The lake's crawler."
  type        = string
}
