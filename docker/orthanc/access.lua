-- Who may do what over HTTP. Orthanc knows users, and no roles: this filter gives them some. It is asked for each request
-- after the password was checked, also with ExecuteLuaEnabled false.
--
-- In the environment, names and origins apart by blanks:
--   ORTHANC_WRITERS   users that may do all: scanflow, the streamer's
--   ORTHANC_ORIGINS   origins of web pages that may write, such as https://orthanc.example.org behind a reverse proxy

local function words(text)
  local set = {}
  for word in (text or ''):gmatch('%S+') do set[word:lower()] = true end
  return set
end

local writers = words(os.getenv('ORTHANC_WRITERS') or 'scanflow')
local origins = words(os.getenv('ORTHANC_ORIGINS'))

-- The page of Orthanc's own, or one that is configured. Browsers add Origin to what pages send; programs send none.
local function foreign(method, headers)
  local origin = (headers['origin'] or ''):lower()
  if origin ~= '' then
    local host = origin:match('^https?://([^/]+)$')
    return not (origins[origin] or (host and host == (headers['host'] or ''):lower()))
  end
  local from = (headers['sec-fetch-site'] or ''):lower()
  local follows = method == 'GET' and (headers['sec-fetch-mode'] or ''):lower() == 'navigate'
  return from == 'cross-site' and not follows
end

-- What Orthanc's pages ask by POST without changing anything.
local searches = { ['/tools/find'] = true, ['/tools/lookup'] = true, ['/tools/count-resources'] = true }

local function looks(method, uri)
  return method == 'GET' or (method == 'POST' and searches[uri] == true)
end

-- Images come in, with who sent them and files beside them.
local function receives(method, uri)
  if method == 'POST' then return uri == '/instances' end
  if method ~= 'GET' and method ~= 'PUT' then return false end
  return (method == 'GET' and uri == '/system')
    or uri:match('^/%l+/[%x-]+/metadata/?[%w-]*$') ~= nil
    or uri:match('^/instances/[%x-]+/attachments/?[%w-]*$') ~= nil
    -- whether what came is what Orthanc has
    or (method == 'GET' and uri:match('^/instances/[%x-]+/attachments/[%w-]+/%l[%l%d]*$') ~= nil)
end

function IncomingHttpRequestFilter(method, uri, ip, username, headers)
  if foreign(method, headers) then return false end
  if writers[username:lower()] then return true end
  if username == 'receiver' then return receives(method, uri) end
  return looks(method, uri)
end
