"""The house rules that a machine can check: one function a rule, one clear line a finding."""
