-- For wrk: sends the body in the environment variable BODY; prints what it measured as a line of JSON, in milliseconds.
wrk.method = "POST"
wrk.body = os.getenv("BODY")

function done(summary, latency, requests)
  local errors = summary.errors
  print(string.format(
    '\n{"requests": %d, "seconds": %f, "median": %f, "p95": %f, "failed": %d}',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(95) / 1e3,
    errors.status + errors.connect + errors.read + errors.write + errors.timeout
  ))
end
