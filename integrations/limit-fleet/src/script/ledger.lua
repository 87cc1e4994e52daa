-- The ledger of one limit, on a hash. It does the same as `src/ledger.rs`, step by step; the reasons stand there.
-- All numbers are integers below 2^53, which a double holds exactly.
--
-- KEYS[1]  the hash
-- ARGV     node, seq, claim, running, want, limit, token; ttl, hold; the prefix of the channels for pushes
-- reply    0 (accepted) or 1 (refused), seq, share, target, queued, nodes, learning, token, limit, in use,
--          most;
--          or 2 (other times), seq, ttl, hold
--
-- All that is read is read before the first write, and pushes are sent after the last one. So an error at the first
-- write, for want of memory for example, leaves everything as it was.

local STEP, QUANTUM, MOST, NOTHING = 200000, 50000, 16, 4294967295
local EXPIRY, UNUSED_EXPIRY = 7 * 24 * 3600 * 1000, 3600 * 1000
-- The form of the ledger's own state and of a record. A scan reads no more of a record than the part in HEAD.
local MAIN, RECORD, HEAD = '<dddddddddddddddddd', '<dddddddddd', '<dddddd'

local key, node = KEYS[1], ARGV[1]
local seq, claim, running, want = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local opinion, token = tonumber(ARGV[6]), tonumber(ARGV[7])
local ttl, hold = tonumber(ARGV[8]), tonumber(ARGV[9])
local term = ttl + hold
local field = 'n:' .. node
local min, max, floor = math.min, math.max, math.floor

local m, heads = {}, {}
local pushes, writes, ended = {}, {}, {}

local function unpack_record(text)
  local r = {}
  r.share, r.running, r.want, r.stop, r.limit, r.ticket, r.heard, r.seq, r.former, r.raised =
    struct.unpack(RECORD, text)
  return r
end

local function write_record(name, r)
  writes[#writes + 1] = name
  writes[#writes + 1] = struct.pack(RECORD, r.share, r.running, r.want, r.stop, r.limit, r.ticket, r.heard, r.seq,
    r.former, r.raised)
end

local function learns()
  return m.time < m.learning
end

local function free()
  return m.limit - m.charges
end

local function draw()
  m.tickets = m.tickets + 1
  return m.tickets
end

local function charge(r)
  return max(r.share, r.running)
end

local function queues(r)
  return r.share < min(r.want, m.high)
end

local function mark(r)
  return min(r.running, m.low)
end

-- Returns the index of a ticket among the heads, or nil behind the last that is known.
local function index(ticket)
  local at = 1
  while heads[at] and heads[at].ticket < ticket do
    at = at + 1
  end
  if heads[at] or #heads == m.queued then
    return at
  end
end

local function insert(name, r)
  if queues(r) then
    local at = index(r.ticket)
    if at then
      table.insert(heads, at, { ticket = r.ticket, node = name })
      heads[MOST + 1] = nil
    end
    m.queued = m.queued + 1
  end
  m.charges = m.charges + charge(r)
  m.running = m.running + r.running
  m.wanted = m.wanted + r.want
  m.nodes = m.nodes + 1
end

local function remove(name, r)
  if queues(r) then
    for at, head in ipairs(heads) do
      if head.node == name then
        table.remove(heads, at)
        break
      end
    end
    m.queued = m.queued - 1
  end
  m.charges = m.charges - charge(r)
  m.running = m.running - r.running
  m.wanted = m.wanted - r.want
  m.nodes = m.nodes - 1
end

local function set_level(wants, sum)
  if sum <= m.limit then
    m.low, m.high = m.limit, m.limit
    return
  end
  local low = 0
  while true do
    local rest, others = m.limit, 0
    for i = 1, #wants do
      local w = wants[i]
      if w <= low then
        rest = rest - w
      else
        others = others + 1
      end
    end
    local next = floor(rest / others)
    if next == low then
      m.low = low
      m.high = rest % others > 0 and low + 1 or low
      return
    end
    low = next
  end
end

-- The fields and texts of the other nodes, after a scan, and the records of those that were raised since.
local all, raised = nil, {}

local function scan()
  local unpack_head = struct.unpack
  local now, limit, most, charges, running, nodes = m.time, opinion, opinion, 0, 0, 0
  local wants, sum = { want }, want
  -- Few nodes may queue, so only those are looked at again.
  local waiting, shares, tickets = {}, {}, {}
  local hash = m.nodes > 0 and redis.call('HGETALL', key) or {}
  all = {}
  for i = 1, #hash, 2 do
    local f = hash[i]
    if f ~= 'm' and f ~= 'q' and f ~= field then
      local share, run, w, stop, least, ticket = unpack_head(HEAD, hash[i + 1])
      if stop <= now then
        ended[#ended + 1] = f
      else
        nodes = nodes + 1
        wants[nodes + 1] = w
        sum = sum + w
        running = running + run
        charges = charges + (share > run and share or run)
        if least < limit then
          limit = least
        end
        if least > most then
          most = least
        end
        all[nodes] = i
        if share < w then
          local at = #waiting + 1
          waiting[at], shares[at], tickets[at] = nodes, share, ticket
        end
      end
    end
  end
  m.scanned, m.limit, m.most, m.charges, m.running, m.nodes = now, limit, most, charges, running, nodes
  -- The sum for the level counts the node of the message, too.
  m.wanted = sum - want
  set_level(wants, sum)

  heads, m.queued = {}, 0
  local high, last = m.high, nil
  for i = 1, #waiting do
    local nodes = waiting[i]
    if shares[i] < high then
      m.queued = m.queued + 1
      local ticket = tickets[i]
      if not last or ticket < last then
        local at = #heads
        while at > 0 and heads[at].ticket > ticket do
          at = at - 1
        end
        table.insert(heads, at + 1, { ticket = ticket, node = string.sub(hash[all[nodes]], 3) })
        heads[MOST + 1] = nil
        last = heads[MOST] and heads[MOST].ticket
      end
    end
  end
  all.hash = hash
end

local function scan_is_due()
  local distance = m.time - m.scanned
  local due = distance >= min(50000 + 100 * m.nodes, 150000)
  local begins = m.queued == 0 and claim < min(want, m.high) and free() <= max(claim, running)
    and distance >= 100 * m.nodes
  return m.nodes == 0 or due or begins
end

-- Returns the share, and the share without the spare and the 1 more.
local function grant(turn)
  if learns() then
    return claim, claim
  end
  local room = max(free(), 0)
  local fair, wish = min(want, m.low), min(want, m.high)
  local share, target = max(claim, min(fair, room)), fair
  if share == claim and claim < wish then
    local left = max(room - max(claim, running), 0)
    local before = turn and index(turn)
    before = before and before - 1 or m.queued
    if before < left or (left > 0 and m.time - m.busy >= QUANTUM) then
      share = claim + 1
    end
  end
  if m.queued == 0 and share >= wish and not (claim == 0 and want == 0) then
    local spare = max(floor(m.limit / (m.nodes + 1)), want + floor(want / 4))
    share = max(share, min(spare, room))
  end
  return share, target
end

local function raise(now)
  local list = {}
  for i, head in ipairs(heads) do
    list[i] = head.node
  end
  for _, name in ipairs(list) do
    local left = max(free(), 0)
    if left == 0 then
      return
    end
    if name ~= node then
      local r = unpack_record(redis.call('HGET', key, 'n:' .. name))
      remove(name, r)
      if r.stop <= m.time then
        ended[#ended + 1] = 'n:' .. name
      else
        r.share = min(max(min(r.want, m.low), r.share + 1), charge(r) + left)
        m.token = max(m.token, now) + 1
        if r.raised == 0 then
          r.former = r.ticket
        end
        r.raised = m.token
        r.ticket = draw()
        pushes[#pushes + 1] = { name, r.seq, string.format('%.0f', r.share), m.token }
        insert(name, r)
        write_record('n:' .. name, r)
        raised['n:' .. name] = r
      end
    end
  end
end

local function ask()
  local hash = all.hash
  for i = 1, #all do
    local name, text = hash[all[i]], hash[all[i] + 1]
    local r = raised[name]
    local share, run, _, _, _, _, heard = struct.unpack(HEAD .. 'd', text)
    if r then
      share = r.share
    end
    local mark = min(run, m.low)
    if share > mark and heard > mark then
      r = r or unpack_record(text)
      r.heard = mark
      write_record(name, r)
      pushes[#pushes + 1] = { string.sub(name, 3), r.seq, '-', 0 }
    end
  end
end

-- Calls a command with any number of arguments.
local function call(command, list)
  for i = 1, #list, 1000 do
    redis.call(command, key, unpack(list, i, min(i + 999, #list)))
  end
end

local now, replid, promoted = look()

local function begin(learns)
  return {
    time = 0, last = now, learning = learns and term or 0, low = 0, high = 0, scanned = 0, busy = 0, charges = 0,
    running = 0, wanted = 0, queued = 0, limit = opinion, most = opinion, token = 0, tickets = 0, nodes = 0,
    ttl = ttl, hold = hold,
  }
end

local function write(expiry)
  local text = {}
  for i, head in ipairs(heads) do
    text[i] = string.format('%.0f %s', head.ticket, head.node)
  end
  writes[#writes + 1] = 'm'
  writes[#writes + 1] = struct.pack(MAIN, m.time, m.last, m.learning, m.low, m.high, m.scanned, m.busy, m.charges,
    m.running, m.wanted, m.queued, m.limit, m.most, m.token, m.tickets, m.nodes, m.ttl, m.hold) .. replid
  writes[#writes + 1] = 'q'
  writes[#writes + 1] = table.concat(text, ' ')
  call('HSET', writes)
  call('HDEL', ended)
  redis.call('PEXPIRE', key, expiry or EXPIRY)
end

-- Returns whether a lease may last.
local function is_in_use()
  if learns() then
    return true
  end
  local hash = redis.call('HGETALL', key)
  for i = 1, #hash, 2 do
    local f = hash[i]
    if f ~= 'm' and f ~= 'q' and unpack_record(hash[i + 1]).stop > m.time then
      return true
    end
  end
  return false
end

local stored = redis.call('HMGET', key, 'm', 'q', field)
local former = stored[3] and unpack_record(stored[3])
if stored[1] then
  local at
  m.time, m.last, m.learning, m.low, m.high, m.scanned, m.busy, m.charges, m.running, m.wanted, m.queued, m.limit,
    m.most, m.token, m.tickets, m.nodes, m.ttl, m.hold, at = struct.unpack(MAIN, stored[1])
  if string.sub(stored[1], at) ~= replid then
    m.learning = m.time + m.ttl + m.hold
  end
  for ticket, name in string.gmatch(stored[2], '(%d+) (%S+)') do
    heads[#heads + 1] = { ticket = tonumber(ticket), node = name }
  end
else
  m = begin(claim > 0 or promoted or uptime() < term)
end
m.time = m.time + min(max(now - m.last, 0), STEP)
m.last = now
local others = m.ttl ~= ttl or m.hold ~= hold
if others and not is_in_use() then
  for _, f in ipairs(redis.call('HKEYS', key)) do
    if f ~= 'm' and f ~= 'q' and f ~= field then
      ended[#ended + 1] = f
    end
  end
  local last_token = m.token
  m, heads, former, others = begin(claim > 0), {}, nil, false
  m.token = last_token
end
if others then
  write()
  return { 2, seq, m.ttl, m.hold }
end
if free() <= 0 then
  m.busy = m.time
end

local function answer(verdict, share, target, token)
  return { verdict, seq, share, target, m.queued, m.nodes, learns() and 1 or 0, token, m.limit, m.running, m.most }
end

if former and former.stop <= m.time then
  remove(node, former)
  former = nil
end
if former and seq <= former.seq then
  write()
  return answer(1, 0, 0, m.token)
end
if former then
  remove(node, former)
end
if not learns() then
  claim = min(claim, former and former.share or 0)
end
m.limit, m.most = m.nodes == 0 and opinion or min(m.limit, opinion), m.nodes == 0 and opinion or max(m.most, opinion)
if scan_is_due() then
  scan()
end

local turn
if former and former.raised > token then
  turn = former.former
elseif former and queues(former) then
  turn = former.ticket
end
local share, target = grant(turn)
m.token = max(m.token, token)
if share > claim then
  m.token = max(m.token, now) + 1
end

local r = {
  share = share, running = running, want = want, seq = seq, stop = m.time + term, limit = opinion, ticket = 0,
  former = 0, raised = 0, heard = NOTHING,
}
if turn and share == claim and queues(r) then
  r.ticket = turn
else
  r.ticket = draw()
end
local given = m.token
insert(node, r)
if not learns() then
  raise(now)
  if all and m.queued > 0 and free() <= 0 then
    ask()
  end
  if m.queued > 0 then
    r.heard = mark(r)
  end
end
write_record(field, r)
if free() <= 0 then
  m.busy = m.time
end

local is_left = m.charges == 0 and m.wanted == 0 and not learns()
if is_left and not promoted and uptime() >= term then
  redis.call('DEL', key)
else
  -- Here a ledger that begins again has to learn, so one that is left may go without harm. It does so soon: there may be
  -- one for each of very many keys.
  write(is_left and UNUSED_EXPIRY)
end
for _, p in ipairs(pushes) do
  push(p[1], p[2], p[3], p[4])
end
return answer(0, share, target, given)
