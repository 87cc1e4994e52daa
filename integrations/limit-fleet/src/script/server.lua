-- This part reads the server, and sends the pushes. Tests put another part here, so that the rest is what they run.

-- Returns the server's clock in microseconds, its replication id, and whether it was ever promoted.
local function look()
  local time = redis.call('TIME')
  local info = redis.call('INFO', 'replication')
  -- A server that was promoted, or that has loaded a file, remembers the id of before.
  local replid, before = string.match(info, 'master_replid:(%x+)'), string.match(info, 'master_replid2:(%x+)')
  if not replid or not before then
    error('INFO replication says no master_replid, without which lost writes cannot be noticed')
  end
  return time[1] * 1000000 + time[2], replid, string.find(before, '[^0]') ~= nil
end

-- Returns the time since the server was started, in microseconds.
local function uptime()
  return string.match(redis.call('INFO', 'server'), 'uptime_in_seconds:(%d+)') * 1000000
end

-- Sends a push to the process of a node. The key stands last, because it may contain spaces.
local function push(node, seq, share, token)
  local text = string.format('%s %.0f %s %.0f %s', node, seq, share, token, KEYS[1])
  redis.call('PUBLISH', ARGV[10] .. (string.match(node, '^(.*)#') or node), text)
end
