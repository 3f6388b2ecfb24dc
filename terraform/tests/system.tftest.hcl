mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  name               = "strava-test"
  dist               = "./tests/artefacts"
  is_protected       = false
  retention_days     = 7
  operator           = { name = "Ann O'Example", contact = "privacy@example.org" }
  monthly_budget_usd = 10
}

run "refuses" {
  command = plan
  module { source = "./modules/system" }
  variables {
    # refuses to forget a run while its event may come again
    run_days = 28
    # refuses a fraction of an hour between crawls
    crawl_every_h = 0.5
  }

  expect_failures = [var.run_days, var.crawl_every_h]
}
