# A domain of one's own before the API: with a zone of Route 53 everything is made here; with a certificate that exists
# the owner's own name server has to point to `domain_target`.

locals {
  domain_count = var.domain == null ? 0 : 1
  zone_count   = try(var.domain.zone_id, null) == null ? 0 : 1
  certificate  = local.zone_count == 1 ? one(aws_acm_certificate_validation.this[*].certificate_arn) : try(var.domain.certificate_arn, null)
  proof        = one([for certificate in aws_acm_certificate.this : one(certificate.domain_validation_options)])
}

resource "aws_acm_certificate" "this" {
  count = local.zone_count

  domain_name       = var.domain.name
  validation_method = "DNS"

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_route53_record" "proof" {
  count = local.zone_count

  zone_id = var.domain.zone_id
  name    = local.proof.resource_record_name
  type    = local.proof.resource_record_type
  records = [local.proof.resource_record_value]
  ttl     = 300
}

resource "aws_acm_certificate_validation" "this" {
  count = local.zone_count

  certificate_arn         = aws_acm_certificate.this[0].arn
  validation_record_fqdns = aws_route53_record.proof[*].fqdn
}

resource "aws_apigatewayv2_domain_name" "this" {
  count = local.domain_count

  domain_name = var.domain.name

  domain_name_configuration {
    certificate_arn = local.certificate
    endpoint_type   = "REGIONAL"
    security_policy = "TLS_1_2"
  }
}

resource "aws_apigatewayv2_api_mapping" "this" {
  count = local.domain_count

  api_id      = aws_apigatewayv2_api.this.id
  domain_name = aws_apigatewayv2_domain_name.this[0].id
  stage       = aws_apigatewayv2_stage.default.id
}

resource "aws_route53_record" "address" {
  # checkov:skip=CKV2_AWS_23:it is the API's domain, which the check does not know
  count = local.zone_count

  zone_id = var.domain.zone_id
  name    = var.domain.name
  type    = "A"

  alias {
    name                   = aws_apigatewayv2_domain_name.this[0].domain_name_configuration[0].target_domain_name
    zone_id                = aws_apigatewayv2_domain_name.this[0].domain_name_configuration[0].hosted_zone_id
    evaluate_target_health = false
  }
}
