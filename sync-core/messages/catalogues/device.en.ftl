# The sheets about this device: the limit of a day, older years, removing a person.
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
