import Planner
print("plan")
