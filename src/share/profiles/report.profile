# report: change nothing, only look
#
# With this profile audit and harden list what the host exposes and close none of it, not even a
# back door.

profile-version 1
default keep
