-- Calls each command that the script of the ledger calls, with the same kinds of key and channel.
--
-- KEYS[1]  a hash that is no ledger
-- ARGV     a channel for pushes

local key = KEYS[1]
local failure

-- Calls a command, and notes the first failure with the name of the command.
local function try(command, ...)
  local reply = redis.pcall(command, ...)
  if type(reply) == 'table' and reply.err then
    failure = failure or redis.error_reply('ERR ' .. command .. ': ' .. reply.err)
  end
end

try('TIME')
try('INFO', 'replication')
try('HGET', key, 'm')
try('HMGET', key, 'm', 'q')
try('HGETALL', key)
try('HKEYS', key)
-- The first write needs memory: a server asks for it before the first write alone.
try('HSET', key, 'm', '')
-- All are tried, so that each of them removes the hash if the others are not permitted.
try('PEXPIRE', key, 1000)
try('HDEL', key, 'm')
try('DEL', key)
try('PUBLISH', ARGV[1], '')
return failure or 0
