# The sheets about this device: the limit of a day, older years, removing a person, synchronising.
remove-title = Remove { $name } from this device
remove-what = Everything of this person on the device is removed: the PIN, what is being typed, the reports that were received. What the province received stays at the province, and others on this device lose nothing. Working here again takes a new enrolment.
remove-key = The device stays in the province's list until an administrator stops it.
remove-unsent = { $count ->
    [one] { $count } unsent change will be gone from this device.
   *[other] { $count } unsent changes will be gone from this device.
}
remove-file-help = It is best to open the device and synchronise first. If that cannot be done, save the recovery file and give it to the province's administrator. What was typed right before the device went off is not in the file: opened once with the PIN, it goes in.
remove-sure = { $count ->
    [one] I have kept that file. Remove { $count } unsent change from this device.
   *[other] I have kept that file. Remove { $count } unsent changes from this device.
}
remove-now = Remove { $name }
budget-title = Limit of a day
budget-none = No limit: everything there is is sent and received.
budget-label = At most in a day, KB
budget-set = Set the limit
budget-remove = Remove the limit
budget-range = The limit is { $least } KB at least.
budget-used = { $spent } KB of today's { $limit } KB are used.
budget-later = { $count ->
    [one] { $count } change waits
   *[other] { $count } changes wait
}: today's limit has no room for more. Signatures and figures go first, notes and texts after them.
budget-now = What can go now takes about { $kilobytes } KB.
budget-anyway = Send everything this once
budget-help = Counted is what is sent and received when synchronising, by days in Vietnam; what is around each exchange is taken for 1 KB. With a limit the device asks for news once an hour.
years-title = Older years
years-here = All reports from { $since } on are on this device.
years-left = { $count ->
    [one] { $count } report of the years before is not on this device, about { $kilobytes } KB.
   *[other] { $count } reports of the years before are not on this device, about { $kilobytes } KB.
}
years-fetch-one = Fetch { $year } (about { $kilobytes } KB)
years-fetch-all = Fetch the older years (about { $kilobytes } KB)
years-under-way = Reports of older years are coming. After a lost connection they go on from there.
years-help = A new device takes what is due, what was returned, this year and the two before. An old report that somebody writes in comes by itself, whole.
pin-present = The PIN in use
sync-title = Synchronising
sync-close = Close
sync-now = Synchronise now
sync-done = This device and the server hold the same.
sync-refused = The server refuses ({ $code }). Everything is still on the device and is sent again; if it goes on, tell the administrator.
sync-contact = Last contact with the server: { $when }
sync-contact-never = The server was never reached.
sync-done-edge = This device and the server { $node } hold the same.
node-title = Servers
node-province = The province's server
node-in-use = In use
node-contact = Last contact: { $when }
node-never = Never reached
node-use = Use { $node }
node-trying = Trying { $node }… If the browser asks about the local network, choose Allow.
node-unreached = { $node } cannot be reached; the server before stays in use. Join the office's network and try again; if the browser asks about the local network, choose Allow.
node-denied = The browser does not let this app reach machines of the local network, so { $node } cannot be used. Press the sign to the left of the page's address, open its permissions, allow the local network and try again. Meanwhile everything can be sent to the province's server.
node-fault-offline = Not reached when it was last tried
node-fault-link-elsewhere = Something else answered when it was last tried
node-fault-link-stalled = No answer when it was last tried
node-fault-link-rewritten = The answer was changed on the way when it was last tried
node-edge-only = { $count ->
    [one] { $count } change is
   *[other] { $count } changes are
} known to be at the area's server only: the province has not confirmed it to this device. The area's server passes it on; this device learns that the province has it when it reaches the province.
node-edge-unknown = What the province has is not known here: it was never reached, or too long ago.
node-help = When the server in use cannot be reached, this device goes over to the other one by itself.
node-reload-help = A server of the area was added after the app was opened. Load the app again to use it; everything that was typed stays.
node-reload = Load the app again
sync-waits = Waiting to be sent
sync-nothing = Nothing waits to be sent.
sync-draft = { $count ->
    [one] { $count } change just typed, not sealed yet
   *[other] { $count } changes just typed, not sealed yet
}
sync-changes = { $count ->
    [one] { $count } change to send, { $kilobytes } KB
   *[other] { $count } changes to send, { $kilobytes } KB
}
sync-held = { $count ->
    [one] { $count } change is held at the server until somebody in charge decides
   *[other] { $count } changes are held at the server until somebody in charge decides
}
sync-cost = Sending all of it takes about { $kilobytes } KB, with everything around it.
sync-notices = Notices
sync-notices-none = No notices.
sync-storage = Storage on this device
storage-space = { $used } KB used, { $left } GB left.
storage-help = Install the app on the home screen or allow lasting storage, so that the browser does not delete it when space runs out.
storage-ask = Ask for lasting storage
sync-file = Send by file
sync-file-help = Where there is no network: write what waits into a signed file, copy it to a stick, and have a machine with a link send it. Everything goes on waiting here until the answer file with the receipt is read.
sync-file-write = Write a file to carry
sync-file-written = { $name } was written. What is in it goes on waiting here until there is a receipt.
sync-file-read = Read a file brought back
sync-file-taken = The file was read: { $accepted } new parts, { $known } known ones; a server confirms { $acknowledged } parts of this device.
sync-file-lacking = The file was not copied to its end: pieces missing: { $count }. What is whole was taken; copy it again and read it once more.
sync-file-waiting = Parts not taken because something before them is missing: { $count }. Read the earlier file, then this one again.
sync-file-not-followed = Parts of units that this device does not follow, not taken: { $count }.
sync-file-own-chain = A server knows other work of this device than it holds: synchronise when there is a network.
sync-recovery = Recovery file
sync-recovery-help = Everything signed on this device, what was not sent included, in one file. The province's administrator sends it with dongbo replay when this device cannot any more. Whoever has the file can read the reports in it.
sync-recovery-saved = Saved { $name }.
update-title = There is a new version of the app
update-help = It is here as a whole. Used now, the page loads again; otherwise it runs from the next start on.
update-use = Use the new version
notice-held-equivocation = Two different batches have one number. Both are held until somebody decides.
notice-held-key-ended = This device may not send any more. The batch is held until somebody in charge decides.
notice-held-not-allowed = You may not change this report. The batch is held until somebody in charge decides.
notice-held-unknown-template = The server has no such form yet. The batch is held.
notice-held-subject = The report belongs to no period or unit that is known. The batch is held.
notice-held-gate = The batch is malformed and is held until somebody decides.
notice-held-waits-for-held = The batch builds on another one that is held.
notice-held-sequence-reused = Two different changes have one sequence number. They are held until somebody decides.
notice-node-changed = This server was met for the first time or was restored just now: everything is compared once more.
notice-new-installation = A device was restored from an older state: this one goes on as a new one, and everything typed on either copy is still there.
notice-fingerprint-mismatch = Device and server do not hold the same yet: everything is compared once more.
notice-piece-refused = What came at first contact is not what the province's server attests: it was not taken, and is asked for again with everybody's signatures.
notice-catalogue-forked = The server's catalogue differs from the one on this device. Tell the province's administrator.
notice-left-out = This version of the app cannot read one batch and leaves it out; everything else goes on. A new version will read it again.
notice-gap = A batch that comes before is not here yet; this one is left.
notice-waiting = A batch waits for another one to come first.
notice-other = The server says: { $code }.
notice-held-local-row = Rows of the form belong to the province and are locked: a unit adds rows of its own. The batch is held until somebody in charge decides.
