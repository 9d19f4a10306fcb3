# Texts of the console, English. One message a line; the other languages have the same keys and parameters.

skip-to-content = Skip to content
navigation = Pages
language = Language
sign-out = Sign out
times-in = Times in

sign-in-title = Sign in
sign-in-user = User
sign-in-password = Password
sign-in-button = Sign in
sign-in-hint = The first start of the server puts the password of the user "admin" into secrets.toml in its data folder.
sign-in-wrong = User or password is wrong.
sign-in-stale = This form has expired. Enter user and password once more.
sign-in-wait = Too many failed attempts from your address. Try again in { $n } min.
sign-in-unsafe = Sign-in is closed: this connection is not encrypted.
sign-in-unsafe-advice = Open the console on the server itself, put a proxy with TLS in front and name it in [http] trusted_proxies, or set [http] insecure = true in a network you trust.

records-title = Stream interruption records
records-short = Interruptions
records-unreadable = The records cannot be read now. Nothing is lost; the server's log says why.
records-none-match = No record matches these filters.
records-none-yet = No push has ended yet. As soon as one ends, it stands here with its cause.
records-push-hint = Print a signed URL, push a test picture to it, then stop it:
no-stream = (no stream named)

column-stream = Stream name
column-app = Path
column-domain = Domain
column-start = Start
column-end = End
column-duration = Duration
column-client = Client IP
column-cause = Cause of interruption

filter-match = Match
filter-exact = exact
filter-fuzzy = contains
filter-side = Who ended it
filter-all = All
filter-range = Time range
filter-since = From
filter-until = To
filter-apply = Search
filter-clear = Clear
range-all = All records
range-hour = Last hour
range-day = Last 24 hours
range-week = Last 7 days
range-custom = From – to

paging = More records
paging-older = Older
paging-newest = Newest

record-title = Interruption record
record-missing = There is no record with this id. It may have passed its retention time.
record-side = ended by: { $n }
record-advice = What to do
record-findings = What speaks for it
record-no-findings = The evidence shows nothing beyond the cause itself.
record-no-evidence = No evidence is kept for this record: its retention time has passed, or none could be taken.
record-facts = Facts
record-never-live = never went live

confidence-certain = certain
confidence-strong = strong
confidence-likely = likely
confidence-possible = possible

fact-duration = Duration
fact-attempts = Attempts
fact-client = Client
fact-protocol = Protocol
fact-encoder = Encoder
fact-video = Video
fact-audio = Audio
fact-channels = { $n } ch
fact-bytes-in = Received
fact-bytes-out = Sent
fact-query = URL parameters
fact-node = Node
fact-account = Account
fact-id = Record id
fact-sequence = Sequence

causes-title = Causes
causes-meaning = Meaning
causes-records = Show records

duration-seconds = { $s } s
duration-minutes = { $m } min { $s } s
duration-hours = { $h } h { $m } min
duration-days = { $d } d { $h } h
