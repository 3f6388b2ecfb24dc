# Policies for people who work with Airflow's pages: attach one to whoever is to have that role in Airflow.

locals {
  airflow_roles = {
    viewer   = { role = "Viewer", may = "look at runs and logs" }
    engineer = { role = "User", may = "also start, clear and delete runs" }
    operator = { role = "Op", may = "also change connections, variables and pools" }
  }
}

resource "aws_iam_policy" "airflow" {
  # checkov:skip=CKV_AWS_355:the list of environments has no resource
  for_each = local.airflow_roles

  name        = "${var.name}-airflow-${each.key}"
  description = "Airflow of ${var.name} as ${each.value.role}: ${each.value.may}"

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "Enter"
        Effect   = "Allow"
        Action   = "airflow:CreateWebLoginToken"
        Resource = "arn:${local.partition}:airflow:${local.region}:${local.account_id}:role/${var.name}/${each.value.role}"
      },
      {
        Sid      = "FindEnvironment"
        Effect   = "Allow"
        Action   = "airflow:GetEnvironment"
        Resource = "arn:${local.partition}:airflow:${local.region}:${local.account_id}:environment/${var.name}"
      },
      {
        Sid      = "ListEnvironments"
        Effect   = "Allow"
        Action   = "airflow:ListEnvironments"
        Resource = "*"
      },
    ]
  })
}
