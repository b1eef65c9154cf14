from nnbook.claims import ClaimError, claim

claim("half of them are even: {:.0%}", 0.5, "==", 0.5)
try:
    claim("most of them are even: {:.0%}", 0.5, ">", 0.5)
except ClaimError as error:
    print(error)
