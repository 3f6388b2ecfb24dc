terraform {
  required_version = ">= 1.10"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "5.100.0"
    }
  }

  # Bucket and region come from `terraform/bootstrap`: see docs/deploy.md.
  backend "s3" {
    key          = "strava-dev.tfstate"
    encrypt      = true
    use_lockfile = true
  }
}
